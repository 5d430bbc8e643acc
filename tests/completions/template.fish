# Completions of reflect for fish, generated from the command itself: reflect completions install puts them in place.

# DATA

# Takes one word of the line into account: the path, the place and the flag say where the next one stands.
function __reflect_read
    if test -n "$__reflect_flag"
        set -g __reflect_flag ''
        return
    end
    __reflect_about "$__reflect_path"
    if string match -q -- '-?*' $argv[1]; and test -z "$__reflect_ended"
        if test $argv[1] = --
            set -g __reflect_ended 1
            return
        end
        test -n "$__reflect_default"; and set -g __reflect_path "$__reflect_path $__reflect_default"
        __reflect_value "$__reflect_path $argv[1]"; and set -g __reflect_flag $argv[1]
    else
        if test $__reflect_place -eq 0 -a -z "$__reflect_ended"; and set -q __reflect_subcommands[1]
            for number in (seq 1 2 (count $__reflect_subcommands))
                if test $__reflect_subcommands[$number] = "$argv[1]"
                    set -g __reflect_path (string trim -- "$__reflect_path $argv[1]")
                    return
                end
            end
        end
        set -g __reflect_place (math $__reflect_place + 1)
    end
end

# Prints pairs of values and a few words on each; fish quotes what it inserts.
function __reflect_offer
    set -q argv[2]; or return
    for number in (seq 2 2 (count $argv))
        printf '%s\t%s\n' $argv[(math $number - 1)] $argv[$number]
    end
end

# Prints what may stand in one place, each after what stands before it in the word.
function __reflect_fill
    set -l word $argv[1]
    set -l before $argv[2]
    for one in $__reflect_choices
        printf '%s%s\n' $before $one
    end
    switch $__reflect_kind
        case ''
        case files
            for one in (__fish_complete_path "$word")
                printf '%s%s\n' $before $one
            end
        case texts
            if string match -q -- '@*' $word
                for one in (__fish_complete_path (string sub -s 2 -- $word))
                    printf '%s@%s\n' $before $one
                end
            end
        case '*'
            for one in (command reflect __complete $__reflect_kind "$word" $__reflect_words 2>/dev/null </dev/null)
                printf '%s%s\n' $before $one
            end
    end
end

function __reflect
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -g __reflect_words $words[2..-1]
    set -g __reflect_path ''
    set -g __reflect_place 0
    set -g __reflect_flag ''
    set -g __reflect_ended ''
    for one in $__reflect_words
        __reflect_read $one
    end
    set -l before ''
    if test -z "$__reflect_flag$__reflect_ended"; and string match -q -- '--*=*' $word
        __reflect_about "$__reflect_path"
        test -n "$__reflect_default"; and set -g __reflect_path "$__reflect_path $__reflect_default"
        set -l parts (string split -m 1 = -- $word)
        set -g __reflect_flag $parts[1]
        set before "$parts[1]="
        set word $parts[2]
    end
    # What was typed may still be in quotes.
    set word (string unescape -- "$word"; or string trim -l -c "'\"" -- "$word")
    if test -n "$__reflect_flag"
        __reflect_value "$__reflect_path $__reflect_flag"; and __reflect_fill "$word" "$before"
        return
    end
    __reflect_about "$__reflect_path"
    if string match -q -- '-*' $word; and test -z "$__reflect_ended"
        test -n "$__reflect_default"; and __reflect_about "$__reflect_path $__reflect_default"
        __reflect_offer $__reflect_options
        return
    end
    if test $__reflect_place -eq 0 -a -z "$__reflect_ended"
        __reflect_offer $__reflect_subcommands
    end
    set -l last (count $__reflect_places)
    test $last -gt 0; or return
    if test $__reflect_place -ge $last
        string match -q -- '*\*' $__reflect_places[$last]; or return
        set -g __reflect_place (math $last - 1)
    end
    __reflect_value "$__reflect_path $__reflect_place"
    or set -g __reflect_kind (string replace '*' '' -- $__reflect_places[(math $__reflect_place + 1)])
    __reflect_fill "$word" ''
end

complete -c reflect -f -k -a '(__reflect)'
