# bash completion for ostler. Install as /usr/share/bash-completion/completions/ostler.
#
# The words come from the program itself (`ostler complete-words WORD...`), so they are always its own; an
# instance's id comes from `ostler ls --ids`, quietly nothing when no server runs.

_ostler()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local program=${COMP_WORDS[0]} word i candidates
    local -a words=() place=()

    # The verb's words, and where the server is, from what was typed so far.
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            --data | --account)
                place+=("${COMP_WORDS[i]}" "${COMP_WORDS[i+1]-}")
                ((i++))
                ;;
            -*) ;;
            *) words+=("${COMP_WORDS[i]}") ;;
        esac
    done

    COMPREPLY=()
    case $prev in
        --data)
            mapfile -t COMPREPLY < <(compgen -d -- "$cur")
            return
            ;;
        --user-data)
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
            ;;
        --reason)
            mapfile -t COMPREPLY < <(compgen -W "security financial" -- "$cur")
            return
            ;;
        --recycle-bin)
            mapfile -t COMPREPLY < <(compgen -W "on off" -- "$cur")
            return
            ;;
    esac

    candidates=$("$program" complete-words "${words[@]:0:2}" 2>/dev/null) || return
    local list=
    while IFS= read -r word; do
        case $word in
            @ids) [[ $cur == -* ]] || list+=" $("$program" ls --ids "${place[@]}" 2>/dev/null)" ;;
            @files) [[ $cur == -* ]] || mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
            -*) [[ $cur == -* ]] && list+=" $word" ;;
            *) list+=" $word" ;;
        esac
    done <<<"$candidates"
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$list" -- "$cur")
}

complete -o filenames -F _ostler ostler
