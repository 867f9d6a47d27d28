"""The completion scripts: they pass the words on to ``__complete`` and hand its answer to the shell."""

from __future__ import annotations

BASH = r"""# bash completion for fairlead: source <(fairlead completion bash)
_fairlead() {
    local line=${COMP_LINE:0:COMP_POINT} words cur answer directive candidate prefix
    # Bash cuts words at : and = (COMP_WORDBREAKS); fairlead's words are cut at blanks alone.
    read -ra words <<<"$line"
    [[ $line == *[[:blank:]] ]] && words+=("")
    cur=${words[${#words[@]}-1]}
    answer=$("${words[0]}" __complete "${words[@]:1}" 2>/dev/null) || return
    directive=${answer##*:}
    [[ $cur == -*=* ]] && cur=${cur#*=}
    # What stands before the last cut is already on the line.
    prefix=
    [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]] && prefix=${cur%"${cur##*:}"}
    COMPREPLY=()
    while IFS= read -r candidate; do
        candidate=${candidate%%$'\t'*}
        [[ $candidate == "$cur"* && -n $candidate ]] && COMPREPLY+=("${candidate#"$prefix"}")
    done <<<"${answer%:*}"
    (( directive & 2 )) && compopt -o nospace
    if (( directive & 16 )); then
        compopt -o dirnames
    elif (( ! (directive & 4) )); then
        compopt -o default
    fi
}
complete -F _fairlead fairlead
"""

ZSH = r"""#compdef fairlead
# zsh completion for fairlead: fairlead completion zsh > "${fpath[1]}/_fairlead"
_fairlead() {
    local answer directive line value about
    local -a lines described options
    answer=$("${(Q)words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null) || return
    lines=("${(@f)answer}")
    directive=${lines[-1]#:}
    [[ ${words[CURRENT]} == -*=* ]] && compset -P '*='
    for line in "${(@)lines[1,-2]}"; do
        value=${line%%$'\t'*}
        about=
        [[ $line == *$'\t'* ]] && about=${line#*$'\t'}
        described+=("${value//:/\\:}${about:+:$about}")
    done
    (( directive & 2 )) && options=(-S '')
    if (( $#described )); then
        _describe -V fairlead described "${options[@]}"
    elif (( directive & 16 )); then
        _files -/
    elif (( ! (directive & 4) )); then
        _files
    fi
}
if [ "$funcstack[1]" = _fairlead ]; then
    _fairlead "$@"
else
    compdef _fairlead fairlead
fi
"""

FISH = r"""# fish completion for fairlead: fairlead completion fish > ~/.config/fish/completions/fairlead.fish
function __fairlead_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer (command $words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    or return
    set -l directive (string sub -s 2 -- $answer[-1])
    set -e answer[-1]
    set -l prefix (string match -r -- '^-[^=]*=' "$current")
    set -l value (string replace -r -- '^-[^=]*=' '' "$current")
    if test (count $answer) -gt 0
        for line in $answer
            echo "$prefix$line"
        end
    else if test $directive -eq 16
        printf "$prefix%s\n" (__fish_complete_directories "$value")
    else if test $directive -eq 0
        printf "$prefix%s\n" (__fish_complete_path "$value")
    end
end
complete -c fairlead -f -a '(__fairlead_complete)'
"""


def script(shell: str) -> str:
    """The script of ``bash``, ``zsh`` or ``fish``."""
    return {"bash": BASH, "zsh": ZSH, "fish": FISH}[shell]
