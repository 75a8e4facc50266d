"""What completes command lines in a shell: a script for each, which asks ``fetal-seg --complete LINE``.

Groups, choices and keys are Hydra's own to tell: it is asked as its scripts ask it.
"""

import contextlib
import io
import os
import sys
from collections.abc import Iterable

from fetal_seg.cli.main import COMMANDS, MEASURE, OPTIONS
from fetal_seg.commands.command_line import PROGRAM

MEASURE_OPTIONS = ("--csv", "--help", "--pixel-size")
GOES_ON = ("=", ".", "/")  # at the end of what is not yet whole

# In bash "=" parts words: what stands before the last one is taken off again
BASH = f"""_fetal_seg() {{
    local IFS=$'\\n' line="${{COMP_LINE:0:COMP_POINT}}" word before=""
    word="${{line##*[[:space:]]}}"
    if [[ $COMP_WORDBREAKS == *=* && $word == *=* ]]; then before="${{word%=*}}="; fi
    COMPREPLY=($({PROGRAM} --complete "$line" 2>/dev/null))
    COMPREPLY=("${{COMPREPLY[@]#"$before"}}")
}}
complete -o nospace -o default -F _fetal_seg {PROGRAM}"""

ZSH = f"""(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit }}
_fetal_seg() {{
    local -a replies
    replies=("${{(@f)$({PROGRAM} --complete "${{(j: :)words[1,CURRENT]}}" 2>/dev/null)}}")
    if [[ -n "$replies" ]]; then compadd -Q -S '' -- $replies; else compset -P '*='; _files; fi
}}
compdef _fetal_seg {PROGRAM}"""

FISH = f"""function __fetal_seg
    set -l replies ({PROGRAM} --complete (commandline -cp) 2>/dev/null | string trim --right)
    set -l word (commandline -ct)
    if set -q replies[1]
        printf '%s\\n' $replies
    else if string match -q '*=*' -- $word
        set -l key (string replace -r '[^=]*$' '' -- $word)
        __fish_complete_path (string replace -r '^.*=' '' -- $word) | string replace -r '^' -- $key
    end
end
complete -c {PROGRAM} -n 'not __fish_seen_subcommand_from {MEASURE}' -f
complete -c {PROGRAM} -a '(__fetal_seg)'"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def endings(line: str) -> list[str]:
    """The words that may end a command line; those that are whole with a space behind them.

    Args:
        line: up to the cursor, the program included; its last word is the one to complete, empty after a space.
    """
    words = line.split()
    last = "" if not words or line[-1].isspace() else words.pop()
    given = words[1:]
    if not given:
        found: Iterable[str] = [*COMMANDS, *(OPTIONS if last.startswith("-") else ())]
    elif given[0] == MEASURE:
        found = MEASURE_OPTIONS if last.startswith("-") else ()  # else files, which shells know
    elif given[0] == "--completion":
        found = SCRIPTS
    elif given[0] in COMMANDS:
        found = _of_hydra(given[0], [*given[1:], last])
    else:
        found = ()
    return [
        word if word.endswith(GOES_ON) else f"{word} "
        for word in sorted(found)
        if word.startswith(last) and word != last
    ]


def _of_hydra(name: str, arguments: list[str]) -> list[str]:
    """What Hydra would put for the last of the arguments of a command."""
    from fetal_seg.cli import entry_points

    os.environ["COMP_LINE"] = " ".join([name, *arguments])
    sys.argv = [sys.argv[0], name, "-sc", "query=bash"]
    with contextlib.redirect_stdout(io.StringIO()) as told, contextlib.suppress(SystemExit):
        getattr(entry_points, name)()
    return told.getvalue().split()
