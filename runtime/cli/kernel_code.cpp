// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/cli/kernel_code.h"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <vector>

using namespace infini;
using namespace infini::cli;

namespace {

/// The sections of an ELF file. Hosts' images have been verified by what the
/// dynamic linker reads, which sections are not, and cubins hardly at all:
/// every offset is checked here.
class Sections {
public:
  Sections(const uint8_t *image, size_t size) : image(image), size(size) {
    Elf64_Ehdr header;
    if (!read(0, header) || header.e_shentsize != sizeof(Elf64_Shdr))
      return;
    for (unsigned i = 0; i < header.e_shnum; ++i) {
      Elf64_Shdr section;
      if (header.e_shoff > size ||
          !read(header.e_shoff + uint64_t(i) * sizeof section, section))
        return;
      all.push_back(section);
    }
    names = header.e_shstrndx;
  }

  const std::vector<Elf64_Shdr> &list() const { return all; }
  std::string nameOf(const Elf64_Shdr &section) const {
    return stringAt(names, section.sh_name);
  }
  /// In the string table that section number `table` is.
  std::string stringAt(size_t table, uint64_t offset) const {
    if (table >= all.size() || offset >= all[table].sh_size ||
        all[table].sh_offset > size ||
        size - all[table].sh_offset < all[table].sh_size)
      return "";
    auto *begin =
        reinterpret_cast<const char *>(image + all[table].sh_offset + offset);
    return std::string(begin, strnlen(begin, all[table].sh_size - offset));
  }
  template <typename T> bool read(uint64_t offset, T &value) const {
    if (offset > size || size - offset < sizeof(T))
      return false;
    std::memcpy(&value, image + offset, sizeof(T));
    return true;
  }

private:
  const uint8_t *image;
  size_t size;
  std::vector<Elf64_Shdr> all;
  size_t names = 0;
};

using CodeByName = std::map<std::string, KernelCode>;

/// A kernel of a shared object is a dynamic symbol.
CodeByName ofSharedObject(const Sections &sections) {
  CodeByName found;
  for (const Elf64_Shdr &section : sections.list()) {
    if (section.sh_type != SHT_DYNSYM)
      continue;
    for (uint64_t at = 0; at < section.sh_size; at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      if (section.sh_offset > UINT64_MAX - at ||
          !sections.read(section.sh_offset + at, symbol))
        break;
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC)
        found[sections.stringAt(section.sh_link, symbol.st_name)] = {
            symbol.st_size, std::nullopt};
    }
  }
  return found;
}

/// A kernel of a cubin is a section, which has the number of registers in the
/// uppermost byte of its info.
CodeByName ofCubin(const Sections &sections) {
  constexpr std::string_view prefix = ".text.";
  CodeByName found;
  for (const Elf64_Shdr &section : sections.list()) {
    std::string name = sections.nameOf(section);
    if (name.compare(0, prefix.size(), prefix) == 0)
      found[name.substr(prefix.size())] = {section.sh_size,
                                           section.sh_info >> 24};
  }
  return found;
}

/// The kernel or function that a line of PTX begins: "x" for
/// ".visible .entry x(" and ".func (.reg .b32 r) x(".
std::string_view functionOf(std::string_view line) {
  bool isFunction =
      line.find(".entry") != line.npos || line.find(".func") != line.npos;
  if (line.empty() || line[0] != '.' || !isFunction)
    return {};
  size_t end = line.rfind('(');
  line = line.substr(0, end);
  size_t begin = line.find_last_of(" )");
  return begin == line.npos ? std::string_view() : line.substr(begin + 1);
}

} // namespace

CodeByName cli::readKernelCode(const Target &target) {
  if (target.format == ImageFormat::ptx)
    return {};
  Sections sections(target.image, target.imageBytes);
  return target.format == ImageFormat::elf ? ofSharedObject(sections)
                                           : ofCubin(sections);
}

std::string cli::ptxOfKernel(std::string_view module, std::string_view kernel) {
  std::string result;
  bool isInFunction = false, isKept = true, isFound = false;
  for (size_t at = 0; at < module.size();) {
    size_t end = std::min(module.find('\n', at), module.size() - 1) + 1;
    std::string_view line = module.substr(at, end - at);
    at = end;
    if (!isInFunction) {
      std::string_view name = functionOf(line);
      // A declaration on one line has no body to wait for.
      isInFunction = !name.empty() && line.find(';') == line.npos;
      // Functions that are no kernels may be called.
      bool isKernel = isInFunction && line.find(".entry") != line.npos;
      isKept = !isKernel || name == kernel;
      isFound |= isKernel && isKept;
      // The others' announcements.
      if (line.find("// .globl") != line.npos)
        continue;
    }
    if (isKept)
      result += line;
    // LLVM's bodies end with a brace at a line's beginning, and its
    // declarations of functions with a semicolon.
    if (isInFunction && (line.substr(0, 1) == "}" || line.substr(0, 1) == ";"))
      isInFunction = false, isKept = true;
  }
  return isFound ? result : "";
}
