// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/cli/tool.h"
#include "infini/runtime/cli/program.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

using namespace infini;
using namespace infini::cli;

Status cli::findTool(const std::string &name, const std::string &hint,
                     std::string &path) {
  char self[PATH_MAX];
  ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
  std::vector<std::string> folders;
  if (size > 0) {
    std::string text(self, size_t(size));
    folders.push_back(text.substr(0, text.rfind('/')));
  }
  if (const char *list = getenv("PATH")) {
    std::string text = list;
    for (size_t at = 0; at <= text.size();) {
      size_t end = std::min(text.find(':', at), text.size());
      if (end > at)
        folders.push_back(text.substr(at, end - at));
      at = end + 1;
    }
  }
  for (const std::string &folder : folders) {
    path = folder + "/" + name;
    struct stat info;
    if (access(path.c_str(), X_OK) == 0 && stat(path.c_str(), &info) == 0 &&
        !S_ISDIR(info.st_mode))
      return Status();
  }
  return userError("cannot find ", name, " beside this program or on PATH; ",
                   hint);
}

Status cli::runTool(const std::vector<std::string> &words, int &exit, int input,
                    int output) {
  std::vector<char *> arguments;
  for (const std::string &word : words)
    arguments.push_back(const_cast<char *>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (input >= 0)
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  if (output >= 0)
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child;
  int error = posix_spawn(&child, arguments[0], &actions, nullptr,
                          arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error)
    return userError("cannot run ", quoted(words[0]), ": ", strerror(error));
  int status;
  std::string name = words[0].substr(words[0].rfind('/') + 1);
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return bug("cannot wait for ", name, ": ", strerror(errno));
  if (WIFSIGNALED(status))
    return bug(name, " was ended by signal ", WTERMSIG(status), " (",
               strsignal(WTERMSIG(status)), ")");
  exit = WEXITSTATUS(status) == 0             ? good
         : WEXITSTATUS(status) == userMistake ? userMistake
                                              : ourBug;
  return Status();
}
