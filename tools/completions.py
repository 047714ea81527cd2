#!/usr/bin/python3
# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes completions of a program's command line for bash, zsh, and fish: completions.py PROGRAM --out FOLDER

The options are those that `PROGRAM --help-list` lists, in LLVM's format; programs on the runtime list theirs in the
same (runtime/cli/program.cpp). The build runs this, so that completions cannot be out of date.
"""
import argparse
import dataclasses
import os
import re
import subprocess
import sys

HEADER = """\
# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Completions of {program}, made by tools/completions.py.
"""


@dataclasses.dataclass
class Option:
    name: str  # with its dashes
    value: str  # what the list calls it; "" for a flag
    optional: bool  # the value may be missing
    text: str
    # Values to choose from, or, for passes of infini-opt, their options with an equals sign.
    choices: list = dataclasses.field(default_factory=list)

    @property
    def kind(self):
        """What a value completes to: "choice", "folder", "at" (a file behind an @), "number", or "file"."""
        if self.choices:
            return "choice"
        word = self.value.lower()
        if word in ("folder", "directory"):
            return "folder"
        if word in ("@file", "tensor"):
            return "at"
        return "number" if word in ("uint", "int", "long", "number", "float", "tokens", "k") else "file"


OPTION = re.compile(r"( *)(--?[\w-][\w.-]*)(?:(=| |\[=)<(.*?)>\]?)?(?: +- *(.*))?$")
CHOICE = re.compile(r" +=(\S+)(?: +- .*)?$")


def read(listing):
    """The options of a --help-list, in its order."""
    options, by_indent = [], {}
    for line in listing[listing.index("OPTIONS:"):].splitlines()[1:]:
        if match := CHOICE.match(line):
            # LLVM writes '<empty>' for none.
            if last.value and "<" not in match[1]:
                last.choices.append(match[1].rstrip(":"))
            continue
        match = OPTION.match(line)
        if not match or not match[1]:
            continue  # a heading
        indent, name, joint, value, text = len(match[1]), match[2], match[3], match[4] or "", match[5] or ""
        last = Option(name, value, joint == "[=", text.strip())
        if "|" in value:
            last.choices = value.split("|")
        if text.startswith("one of: "):
            # Those that stand for themselves: "cpu, cuda[:<number>], sim:<chip>".
            words = [re.sub(r"\[.*\]", "", word) for word in text[len("one of: "):].split(", ")]
            last.choices = [word for word in words if "<" not in word]
        # An option of the pass above it: --infini-peel-scan=name=value.
        parent = by_indent.get(indent - 2) if indent > 6 else None
        if parent:
            parent.choices.append(name.lstrip("-") + "=")
            parent.value, parent.optional = "options", True
        else:
            options.append(last)
            by_indent = {indent: last}
    return options


def quote(text):
    """For a shell, in single quotes."""
    return "'" + text.replace("'", "'\\''") + "'"


def words(texts):
    return " ".join(quote(text) for text in texts)


# --------------------------------------------------------------------------------------------------------
# The three shells
# --------------------------------------------------------------------------------------------------------

BASH = """\
_{function}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} at=$((COMP_CWORD - 1)) joined= names values file end
  names=$'{names}'
  # Bash takes '=' and '@' for words of their own (COMP_WORDBREAKS).
  if [[ $current =~ ^[=@]+$ ]]; then
    [[ $current == *=* ]] && joined=1
    current=
  fi
  while ((at > 0)) && [[ ${{COMP_WORDS[at]}} =~ ^[=@]+$ ]]; do
    [[ ${{COMP_WORDS[at]}} == *=* ]] && joined=1
    ((at--))
  done
  COMPREPLY=()
  local IFS=$'\\n' option=${{COMP_WORDS[at]}}
  # Values that may be missing come behind '=' only.
  case $option$joined in
{cases}
  *)
    if [[ $current != -* ]]; then
      compopt -o default
      return
    fi
    values=$names
    ;;
  esac
  COMPREPLY=($(compgen -W "$values" -- "$current"))
  [[ ${{COMPREPLY[0]}} == *= ]] && compopt -o nospace
}}
complete -F _{function} {program}
"""


# What is replaced begins with the @.
BASH_AT = """\
compopt -o nospace
    for file in $(compgen -f -- "$current"); do
      if [[ -d $file ]]; then end=/; else end=' '; fi
      printf -v file '@%q%s' "$file" "$end"
      COMPREPLY+=("$file")
    done
    return"""


def bash(program, options):
    """Choices are separated by newlines, which no name has."""
    bodies = {}
    for option in options:
        if option.value:
            action = {"choice": "values=$'" + "\\n".join(option.choices) + "'",
                      "folder": "compopt -o filenames\n    COMPREPLY=($(compgen -d -- \"$current\"))\n    return",
                      "at": BASH_AT,
                      "file": "compopt -o default\n    return",
                      "number": "return"}[option.kind]
            patterns = bodies.setdefault(action, [])
            patterns.append(option.name + "1")
            if not option.optional:
                patterns.append(option.name)
    cases = "\n".join(f"  {' | '.join(patterns)})\n    {action}\n    ;;" for action, patterns in bodies.items())
    return BASH.format(program=program, function=program.replace("-", "_"), cases=cases,
                       names="\\n".join(option.name for option in options))


def zsh(program, options):
    """Specifications of _arguments: 'name=[text]:value:action'."""
    specs = []
    for option in options:
        text = re.sub(r"([\[\]\\:])", r"\\\1", option.text)
        if not option.value:
            specs.append(f"{option.name}[{text}]")
            continue
        choices = " ".join(choice.replace(":", "\\:") for choice in option.choices)
        action = {"choice": f"({choices})", "folder": "_files -/", "at": "_files -P @", "file": "_files",
                  "number": " "}[option.kind]
        if option.kind == "choice" and option.choices[0].endswith("="):
            action = "compadd -S '' -- " + choices
        joint = "=" if option.name.startswith("--") else ""
        # A value that may be missing comes behind '=' only.
        joint += "-" if option.optional else ""
        joint = {"=-": "=-", "=": "="}.get(joint, joint)
        colons = "::" if option.optional else ":"
        value = re.sub(r"([\[\]\\:])", r"\\\1", option.value)
        specs.append(f"{option.name}{joint}[{text}]{colons}{value}:{action}")
    lines = " \\\n".join("  " + quote("*" + spec) for spec in specs)
    return f"#compdef {program}\n{HEADER.format(program=program)}_arguments -S \\\n{lines} \\\n  '*:file:_files'\n"


FISH_AT = "@(__fish_complete_path (string replace -r '^(--[^=]*=)?@?' '' -- (commandline -ct)))"


def fish(program, options):
    lines = []
    for option in options:
        flag = "-l " if option.name.startswith("--") else "-s " if len(option.name) == 2 else "-o "
        line = f"complete -c {program} {flag}{option.name.lstrip('-')} -d {quote(option.text)}"
        if option.value and not option.optional:
            line += {"choice": " -x -a " + quote(" ".join(option.choices)), "number": " -x",
                     "at": f" -x -a {quote(FISH_AT)}",
                     "folder": " -x -a '(__fish_complete_directories)'"}.get(option.kind, " -r -F")
        elif option.kind == "choice":
            line += " -f -a " + quote(" ".join(option.choices))
        lines.append(line)
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="its path")
    parser.add_argument("--out", required=True, help="a folder like PREFIX/share")
    a = parser.parse_args()
    done = subprocess.run([a.program, "--help-list"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode or "OPTIONS:" not in done.stdout:
        sys.exit(f"completions.py: error: '{a.program} --help-list' has status {done.returncode} and no list of options\n"
                 f"{done.stdout}{done.stderr}")
    options = read(done.stdout)
    if not options:
        sys.exit(f"completions.py: error: '{a.program} --help-list' lists no options")
    program = os.path.basename(a.program)
    header = HEADER.format(program=program)
    for place, text in ((f"bash-completion/completions/{program}", header + bash(program, options)),
                        (f"zsh/site-functions/_{program}", zsh(program, options)),
                        (f"fish/vendor_completions.d/{program}.fish", header + fish(program, options))):
        path = os.path.join(a.out, place)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
