// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/cli/program.h"
#include "infini/runtime/cli/console.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>

using namespace infini;
using namespace infini::cli;

/// The options as LLVM's tools list them for --help-list, so that one reader of
/// such lists (tools/completions.py) serves all of our programs.
static void printHelpList(const CLI::App &app) {
  std::string usage = "USAGE: " + app.get_name() + " [options]";
  std::string list;
  for (const CLI::Option *option : app.get_options()) {
    if (option->get_positional()) {
      usage += " <" + option->get_name(true) + ">";
      continue;
    }
    // In the empty group are those that --help hides, such as this one.
    if (option->get_group().empty())
      continue;
    std::string value;
    if (option->get_items_expected_max() != 0) {
      // Behind the colon is what a value is checked for.
      std::string type = option->get_type_name();
      value = "=<" + type.substr(0, type.find(':')) + ">";
    }
    for (const std::string &name : option->get_lnames())
      list += "  --" + name + value + " - " + option->get_description() + "\n";
  }
  printf("%s\n\nOPTIONS:\n%s", usage.c_str(), list.c_str());
}

int cli::runProgram(const char *name, const std::string &description, int argc,
                    char **argv, const std::function<void(CLI::App &)> &declare,
                    const std::function<Status(int &exit)> &body) {
  auto fail = [&](const std::string &message, int status) {
    printError(message, name);
    return status;
  };
  try {
    CLI::App app(description, name);
    declare(app);
    app.set_version_flag("--version",
                         std::string("infini ") + infini_version());
    app.add_flag_callback("--help-list",
                          [&app] {
                            printHelpList(app);
                            throw CLI::Success();
                          })
        ->group("");
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
      return app.exit(error) == 0 ? good : userMistake;
    }
    int exit = good;
    if (Status status = body(exit))
      return fail(status.message(),
                  status.code() == INFINI_BUG ? ourBug : userMistake);
    return exit;
  } catch (const std::bad_alloc &) {
    return fail("out of memory", userMistake);
  } catch (const std::exception &error) {
    return fail(std::string("unexpected exception: ") + error.what(), ourBug);
  }
}
