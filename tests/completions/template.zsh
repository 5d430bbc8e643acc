#compdef reflect
# Completions of reflect for zsh, generated from the command itself: reflect completions install puts them in place.

# DATA

# Takes one word of the line into account: where, place and flag say where the next one stands.
_reflect_read() {
    if [[ -n $flag ]]; then flag=; return; fi
    _reflect_about "$where"
    if [[ $1 == -* && $1 != - && -z $ended ]]; then
        [[ $1 == -- ]] && ended=1 && return
        [[ -n $default ]] && where="$where $default"
        _reflect_value "$where $1" && flag=$1
    else
        local name about
        if ((place == 0)) && [[ -z $ended ]]; then
            for name about in "${subcommands[@]}"; do
                if [[ $name == "$1" ]]; then where="${where:+$where }$1"; return; fi
            done
        fi
        ((place += 1))
    fi
}

# Offers pairs of values and a few words on each; zsh quotes what it inserts.
_reflect_offer() {
    local value about
    local -a values shown
    for value about in "$@"; do
        values+=("$value") shown+=("$value${about:+  -- $about}")
    done
    compadd -V "$tag" "${suffix[@]}" -l -d shown -a values
}

# Offers what may stand in one place.
_reflect_fill() {
    local one tag=$kind
    local -a pairs suffix
    for one in "${choices[@]}"; do
        pairs+=("$one" "")
        [[ $one == *= ]] && suffix=(-S '')
    done
    case $kind in
    files) _files ;;
    texts) compset -P @ && _files ;;
    ?*)
        for one in ${(f)"$(command reflect __complete "$kind" "${(Q)PREFIX}" "${(@Q)words[2,CURRENT-1]}" 2>/dev/null </dev/null)"}; do
            pairs+=("${one%%$'\t'*}" "${one#*$'\t'}")
        done
        ;;
    esac
    ((${#pairs})) && _reflect_offer "${pairs[@]}"
}

_reflect() {
    local where= place=0 flag= ended= kind= default= word tag
    local -a subcommands options places choices pairs suffix
    for word in "${(@)words[2,CURRENT-1]}"; do _reflect_read "${(Q)word}"; done
    if [[ -z $flag && -z $ended && $PREFIX == --*=* ]]; then
        _reflect_about "$where"
        flag=${PREFIX%%=*}
        [[ -n $default ]] && where="$where $default"
        compset -P 1 '*='
    fi
    if [[ -n $flag ]]; then
        _reflect_value "$where $flag" && _reflect_fill
        return
    fi
    _reflect_about "$where"
    if [[ $PREFIX == -* && -z $ended ]]; then
        pairs=("${options[@]}") tag=options
        [[ -n $default ]] && _reflect_about "$where $default" && pairs=("${options[@]}")
        _reflect_offer "${pairs[@]}"
        return
    fi
    if ((place == 0)) && [[ -z $ended ]] && ((${#subcommands})); then
        tag=commands
        _reflect_offer "${subcommands[@]}"
    fi
    ((${#places})) || return
    if ((place >= ${#places})); then
        [[ ${places[-1]} == *\* ]] || return
        place=$((${#places} - 1))
    fi
    _reflect_value "$where $place" || kind=${places[place + 1]%\*}
    _reflect_fill
}

if [[ $funcstack[1] == _reflect ]]; then _reflect "$@"; else compdef _reflect reflect; fi
