# Completions of reflect for bash, generated from the command itself: reflect completions install puts them in place.

# DATA

# Takes one word of the line into account: path, place and flag say where the next one stands.
_reflect_read() {
    if [[ $flag ]]; then flag=; return; fi
    if [[ $1 == -* && $1 != - && ! $ended ]]; then
        [[ $1 == -- ]] && ended=1 && return
        _reflect_about "$path"
        [[ $default ]] && path="$path $default"
        _reflect_value "$path $1" && flag=$1
    else
        _reflect_about "$path"
        local i
        if ((place == 0)) && ! [[ $ended ]]; then
            for ((i = 0; i < ${#subcommands[@]}; i += 2)); do
                if [[ ${subcommands[i]} == "$1" ]]; then path="${path:+$path }$1"; return; fi
            done
        fi
        ((place += 1))
    fi
}

# The words of the line as a person sees them: bash cuts them at colons and equals signs too.
_reflect_split() {
    local rest=${COMP_LINE:0:COMP_POINT} word
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if ((at < 0)) || [[ $rest == [[:space:]]* ]]; then
            rest=${rest#"${rest%%[![:space:]]*}"}
            words[at += 1]=
        fi
        word=${word:0:${#rest}}
        words[at]+=$word
        rest=${rest#"$word"}
    done
}

# What a word says without its quotes, and the quote that is still open; nothing in it is carried out.
_reflect_plain() {
    local raw=$1 char i
    plain= quote=
    for ((i = 0; i < ${#raw}; i++)); do
        char=${raw:i:1}
        case $quote$char in
        \'\' | \"\") quote= ;;
        \' | \") quote=$char ;;
        \\ | \"\\) i=$((i + 1)); plain+=${raw:i:1} ;;
        *) plain+=$char ;;
        esac
    done
}

# A value as it may stand on the line, so that bash reads it as that value and nothing else.
_reflect_quoted() {
    local tick="'\\''"
    case $quote in
    \') text=${1//\'/$tick} ;;
    \")
        [[ $1 == *'!'* ]] && return 1
        text=${1//\\/\\\\} text=${text//\"/\\\"} text=${text//\$/\\\$} text=${text//\`/\\\`}
        ;;
    *) printf -v text %q "$1" ;;
    esac
    # Bash takes a quote at the end for the one that closes the word.
    [[ $quote && $text == *"$quote" ]] && text+=$quote
    return 0
}

# What of the word bash leaves as it is, and so must not be offered again: all up to the last break in it.
_reflect_head() {
    local char rest
    head=
    [[ $quote ]] && return
    for char in : = @; do
        [[ $COMP_WORDBREAKS == *"$char"* && $plain == *"$char"* ]] || continue
        rest=${plain%"${plain##*"$char"}"}
        # An @ belongs to the word that it begins, also where it breaks the one before.
        [[ $char == @ ]] && rest=${rest%@}
        ((${#rest} > ${#head})) && head=$rest
    done
}

# Offers pairs of values and a few words on each; the words are only shown where nothing of them can be inserted.
_reflect_offer() {
    local char rest text i found=() abouts=()
    [[ ! $quote || $raw == "$quote"* ]] || return
    for ((i = 1; i < $#; i += 2)); do
        char=$((i + 1))
        [[ ${!i} == "$plain"* ]] || continue
        rest=${!i} rest=${rest#"$head"}
        # Nothing is left to insert; bash would write it as two quotes.
        [[ $rest ]] || continue
        _reflect_quoted "$rest" || continue
        found+=("$text") abouts+=("${!char}")
    done
    if ((${#found[@]} > 1)) && [[ $COMP_TYPE == 9 || $COMP_TYPE == 63 || $COMP_TYPE == 33 || $COMP_TYPE == 64 ]]; then
        for ((i = 0; i < ${#found[@]}; i++)); do
            [[ ${abouts[i]} ]] && found[i]+="  (${abouts[i]})"
        done
    fi
    COMPREPLY+=("${found[@]}")
    compopt -o nosort 2>/dev/null
    [[ ${#found[@]} == 1 && ${found[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}

# Offers files, each after what stands before it in the word.
_reflect_files() {
    local file
    compopt -o filenames 2>/dev/null
    while IFS= read -r file; do file=$2$file; COMPREPLY+=("${file#"$head"}"); done < <(compgen -f -- "$1")
}

# Offers what may stand in one place.
_reflect_fill() {
    local one line pairs=()
    for one in "${choices[@]}"; do pairs+=("$one" ""); done
    case $kind in
    files) _reflect_files "$plain" ;;
    texts) [[ $plain == @* ]] && _reflect_files "${plain#@}" @ ;;
    ?*)
        while IFS= read -r line; do
            pairs+=("${line%%$'\t'*}" "${line#*$'\t'}")
        done < <(command reflect __complete "$kind" "$plain" "${words[@]:1:at-1}" 2>/dev/null </dev/null)
        ;;
    esac
    ((${#pairs[@]})) && _reflect_offer "${pairs[@]}"
}

_reflect() {
    local words=() at=-1 path= place=0 flag= ended= plain= quote= raw= head= kind= i pairs=()
    local subcommands=() default= options=() places=() choices=()
    COMPREPLY=()
    _reflect_split
    for ((i = 1; i < at; i++)); do
        _reflect_plain "${words[i]}"
        _reflect_read "$plain"
    done
    raw=${words[at]}
    if [[ ! $flag && ! $ended && $raw == --*=* ]]; then
        _reflect_about "$path"
        flag=${raw%%=*} raw=${raw#*=}
        [[ $default ]] && path="$path $default"
    fi
    _reflect_plain "$raw"
    _reflect_head
    if [[ $flag ]]; then
        _reflect_value "$path $flag" && _reflect_fill
        return
    fi
    _reflect_about "$path"
    if [[ $plain == -* && ! $ended ]]; then
        [[ $default ]] && { pairs=("${options[@]}"); _reflect_about "$path $default"; }
        for ((i = 0; i < ${#options[@]}; i += 2)); do pairs+=("${options[i]}" ""); done
        [[ ${pairs[1]} ]] && for ((i = 1; i < ${#pairs[@]}; i += 2)); do pairs[i]=; done
        _reflect_offer "${pairs[@]}"
        return
    fi
    if ((place == 0)) && [[ ! $ended ]]; then
        for ((i = 0; i < ${#subcommands[@]}; i += 2)); do pairs+=("${subcommands[i]}" ""); done
        ((${#pairs[@]})) && _reflect_offer "${pairs[@]}"
    fi
    ((${#places[@]})) || return
    if ((place >= ${#places[@]})); then
        [[ ${places[${#places[@]} - 1]} == *\* ]] || return
        place=$((${#places[@]} - 1))
    fi
    _reflect_value "$path $place" || kind=${places[place]%\*}
    _reflect_fill
}

complete -F _reflect reflect
