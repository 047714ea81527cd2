// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/elf_image.h"
#include "infini/runtime/kernel_abi.h"

#include <cstring>
#include <elf.h>
#include <unordered_map>

using namespace infini;

static constexpr size_t importCount = infini_kernel_import_count;

std::string infini::hostArchitecture() {
#if defined(__x86_64__)
  return "x86_64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "unknown";
#endif
}

namespace {

/// More than any image maps; keeps sums of addresses far from overflowing.
constexpr uint64_t maxAddress = uint64_t(1) << 32;

class ElfVerifier {
public:
  ElfVerifier(const uint8_t *image, size_t size) : image(image), size(size) {}

  Status run(const std::string &triple,
             const std::vector<std::string> &symbols) {
    INFINI_TRY(verifyHeader(triple));
    INFINI_TRY(verifySegments());
    INFINI_TRY(verifyDynamic());
    INFINI_TRY(countSymbols());
    INFINI_TRY(verifySymbols());
    INFINI_TRY(verifyRelocations(DT_RELA, DT_RELASZ));
    INFINI_TRY(verifyRelocations(DT_JMPREL, DT_PLTRELSZ));
    return verifyRequired(symbols);
  }

private:
  Status verifyHeader(const std::string &triple);
  Status verifySegments();
  Status verifyDynamic();
  Status countSymbols();
  Status verifySymbols();
  Status verifyRelocations(int64_t table, int64_t bytes);
  Status verifyRequired(const std::vector<std::string> &symbols);

  template <typename T> bool read(uint64_t offset, T &value) const {
    if (offset > size || size - offset < sizeof(T))
      return false;
    std::memcpy(&value, image + offset, sizeof(T));
    return true;
  }

  /// The segment in which `bytes` bytes at `address` lie, else null. Only what
  /// comes from the file counts where `inFile` is set.
  const Elf64_Phdr *segmentOf(uint64_t address, uint64_t bytes,
                              bool inFile) const {
    for (const Elf64_Phdr &load : loads) {
      uint64_t length = inFile ? load.p_filesz : load.p_memsz;
      if (address >= load.p_vaddr && address - load.p_vaddr <= length &&
          length - (address - load.p_vaddr) >= bytes)
        return &load;
    }
    return nullptr;
  }
  /// Where in the file that is; false when it is not in the file.
  bool offsetOf(uint64_t address, uint64_t bytes, uint64_t &offset) const {
    const Elf64_Phdr *load = segmentOf(address, bytes, true);
    if (load)
      offset = load->p_offset + (address - load->p_vaddr);
    return load != nullptr;
  }
  bool has(int64_t tag) const { return dynamic.count(tag) != 0; }
  uint64_t get(int64_t tag) const { return dynamic.at(tag); }

  const uint8_t *image;
  size_t size;
  Elf64_Ehdr header;
  std::vector<Elf64_Phdr> loads;
  Elf64_Phdr dynamicSegment = {};
  /// What the dynamic linker makes read-only once it has relocated.
  Elf64_Phdr relro = {};
  std::unordered_map<int64_t, uint64_t> dynamic;
  uint64_t symbolCount = 0;
  std::unordered_map<std::string, Elf64_Sym> defined;
};

Status ElfVerifier::verifyHeader(const std::string &triple) {
  if (!read(0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return dataError("the image is not an ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_ident[EI_VERSION] != EV_CURRENT ||
      (header.e_ident[EI_OSABI] != ELFOSABI_NONE &&
       header.e_ident[EI_OSABI] != ELFOSABI_GNU))
    return dataError("the image is not a 64-bit little-endian ELF file");
  if (header.e_type != ET_DYN)
    return dataError("the image has the ELF type ", header.e_type,
                     ", expected a shared object (", ET_DYN, ")");
  std::string architecture = triple.substr(0, triple.find('-'));
  int machine = architecture == "x86_64"    ? EM_X86_64
                : architecture == "aarch64" ? EM_AARCH64
                                            : EM_NONE;
  if (machine == EM_NONE)
    return dataError("the triple ", quoted(triple),
                     " is for a processor that is not known here; expected "
                     "x86_64 or aarch64");
  if (header.e_machine != machine)
    return dataError("the image has the ELF machine ", header.e_machine,
                     ", expected ", machine, " for ", quoted(triple));
  return Status();
}

Status ElfVerifier::verifySegments() {
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == PN_XNUM)
    return dataError("the image's program headers have an unknown form");
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (header.e_phoff > size ||
        !read(header.e_phoff + uint64_t(i) * sizeof segment, segment))
      return dataError("the image's program headers reach past its end");
    if (segment.p_type == PT_TLS || segment.p_type == PT_INTERP)
      return dataError("the image has thread-local data or an interpreter, "
                       "expected neither");
    if (segment.p_type == PT_GNU_STACK && (segment.p_flags & PF_X))
      return dataError("the image asks for an executable stack");
    if (segment.p_filesz > 0 &&
        (segment.p_offset > size || size - segment.p_offset < segment.p_filesz))
      return dataError("the image's segment ", i, " reaches past its end");
    if (segment.p_type != PT_LOAD && segment.p_type != PT_DYNAMIC &&
        segment.p_type != PT_GNU_RELRO)
      continue;
    if (segment.p_vaddr > maxAddress || segment.p_memsz > maxAddress)
      return dataError("the image's segment ", i,
                       " has an address or size "
                       "that is too large");
    if (segment.p_type == PT_DYNAMIC)
      dynamicSegment = segment;
    if (segment.p_type == PT_GNU_RELRO)
      relro = segment;
    if (segment.p_type != PT_LOAD)
      continue;
    if (segment.p_filesz > segment.p_memsz ||
        (segment.p_align & (segment.p_align - 1)) != 0 ||
        (segment.p_align > 1 &&
         (segment.p_vaddr - segment.p_offset) % segment.p_align != 0))
      return dataError("the image's segment ", i, " is malformed");
    if ((segment.p_flags & PF_W) && (segment.p_flags & PF_X))
      return dataError("the image's segment ", i,
                       " is writable and executable");
    if (!loads.empty() &&
        segment.p_vaddr < loads.back().p_vaddr + loads.back().p_memsz)
      return dataError("the image's segments overlap or are out of order");
    loads.push_back(segment);
  }
  if (loads.empty() || dynamicSegment.p_type != PT_DYNAMIC)
    return dataError("the image has no loadable or no dynamic segment");
  if (relro.p_memsz && !segmentOf(relro.p_vaddr, relro.p_memsz, false))
    return dataError("the image's read-only part lies outside its segments");
  return Status();
}

Status ElfVerifier::verifyDynamic() {
  uint64_t offset;
  if (!offsetOf(dynamicSegment.p_vaddr, dynamicSegment.p_memsz, offset))
    return dataError("the image's dynamic segment is not loaded");
  bool ended = false;
  for (uint64_t at = 0; !ended && at < dynamicSegment.p_memsz;
       at += sizeof(Elf64_Dyn)) {
    Elf64_Dyn entry;
    if (dynamicSegment.p_memsz - at < sizeof entry || !read(offset + at, entry))
      break;
    // What is listed is known to be inert; anything else might load, run or
    // patch something.
    switch (entry.d_tag) {
    case DT_NULL:
      ended = true;
      continue;
    case DT_HASH:
    case DT_GNU_HASH:
    case DT_STRTAB:
    case DT_SYMTAB:
    case DT_STRSZ:
    case DT_SYMENT:
    case DT_RELA:
    case DT_RELASZ:
    case DT_RELAENT:
    case DT_RELACOUNT:
    case DT_JMPREL:
    case DT_PLTRELSZ:
    case DT_PLTREL:
    case DT_PLTGOT:
    case DT_SONAME:
    case DT_BIND_NOW:
    case DT_SYMBOLIC:
    case DT_DEBUG:
      break;
    case DT_FLAGS:
      if (entry.d_un.d_val & ~uint64_t(DF_BIND_NOW | DF_SYMBOLIC))
        return dataError("the image has the dynamic flags ", entry.d_un.d_val,
                         ", expected BIND_NOW and SYMBOLIC at most");
      break;
    case DT_FLAGS_1:
      if (entry.d_un.d_val & ~uint64_t(DF_1_NOW))
        return dataError("the image has the dynamic flags_1 ", entry.d_un.d_val,
                         ", expected NOW at most");
      break;
    case DT_NEEDED:
      return dataError("the image needs another library, expected none");
    case DT_INIT:
    case DT_INIT_ARRAY:
    case DT_PREINIT_ARRAY:
    case DT_FINI:
    case DT_FINI_ARRAY:
      return dataError("the image has constructors or destructors, expected "
                       "none");
    default:
      return dataError("the image has the dynamic tag ", entry.d_tag,
                       ", which is not allowed");
    }
    if (!dynamic.emplace(entry.d_tag, entry.d_un.d_val).second)
      return dataError("the image has the dynamic tag ", entry.d_tag, " twice");
  }
  if (!ended)
    return dataError("the image's dynamic segment has no end");
  for (int64_t tag : {DT_STRTAB, DT_STRSZ, DT_SYMTAB, DT_SYMENT})
    if (!has(tag))
      return dataError("the image lacks the dynamic tag ", tag);
  uint64_t strings;
  if (get(DT_SYMENT) != sizeof(Elf64_Sym) ||
      !offsetOf(get(DT_STRTAB), get(DT_STRSZ), strings) || get(DT_STRSZ) == 0 ||
      image[strings + get(DT_STRSZ) - 1] != 0)
    return dataError("the image's string table is malformed");
  if (has(DT_SONAME) && get(DT_SONAME) >= get(DT_STRSZ))
    return dataError("the image's name lies outside the string table");
  return Status();
}

/// ELF does not store how many dynamic symbols there are; the hash tables,
/// which the dynamic linker uses, imply it.
Status ElfVerifier::countSymbols() {
  uint64_t offset;
  if (has(DT_HASH)) {
    uint32_t counts[2];
    if (!offsetOf(get(DT_HASH), sizeof counts, offset) || !read(offset, counts))
      return dataError("the image's hash table is malformed");
    uint64_t words = 2 + uint64_t(counts[0]) + counts[1];
    if (!offsetOf(get(DT_HASH), words * 4, offset) || counts[0] == 0)
      return dataError("the image's hash table is malformed");
    for (uint64_t i = 2; i < words; ++i) {
      uint32_t index;
      if (!read(offset + 4 * i, index) || index >= counts[1])
        return dataError("the image's hash table is malformed");
    }
    symbolCount = counts[1];
  }
  if (!has(DT_GNU_HASH))
    return has(DT_HASH) ? Status() : dataError("the image has no hash table");
  uint32_t head[4];
  if (!offsetOf(get(DT_GNU_HASH), sizeof head, offset) || !read(offset, head))
    return dataError("the image's hash table is malformed");
  auto [buckets, first, bloom, shift] = head;
  uint64_t chains = 16 + uint64_t(bloom) * 8 + uint64_t(buckets) * 4;
  // The bloom filter is indexed with a mask.
  if (buckets == 0 || bloom == 0 || (bloom & (bloom - 1)) != 0 || shift >= 64 ||
      !offsetOf(get(DT_GNU_HASH), chains, offset))
    return dataError("the image's hash table is malformed");
  uint64_t last = 0;
  for (uint64_t i = 0; i < buckets; ++i) {
    uint32_t start;
    if (!read(offset + 16 + uint64_t(bloom) * 8 + 4 * i, start) ||
        (start != 0 && start < first))
      return dataError("the image's hash table is malformed");
    last = std::max<uint64_t>(last, start);
  }
  uint64_t count = first;
  if (last != 0) {
    uint32_t hash;
    do {
      uint64_t ignored;
      if (!offsetOf(get(DT_GNU_HASH), chains + 4 * (last - first + 1),
                    ignored) ||
          !read(offset + chains + 4 * (last - first), hash))
        return dataError("the image's hash table is malformed");
      ++last;
    } while (!(hash & 1));
    count = last;
  }
  if (has(DT_HASH) && count > symbolCount)
    return dataError("the image's hash tables disagree");
  symbolCount = std::max(symbolCount, count);
  return Status();
}

Status ElfVerifier::verifySymbols() {
  uint64_t offset, strings;
  if (!offsetOf(get(DT_SYMTAB), symbolCount * sizeof(Elf64_Sym), offset) ||
      !offsetOf(get(DT_STRTAB), get(DT_STRSZ), strings))
    return dataError("the image's symbol table reaches past its end");
  for (uint64_t i = 1; i < symbolCount; ++i) {
    Elf64_Sym symbol;
    if (!read(offset + i * sizeof symbol, symbol) ||
        symbol.st_name >= get(DT_STRSZ))
      return dataError("the image's symbol ", i, " has no name");
    // The table ends in a zero byte, as was checked.
    std::string name(reinterpret_cast<const char *>(image) + strings +
                     symbol.st_name);
    if (symbol.st_shndx == SHN_UNDEF)
      return dataError("the image needs the symbol ", quoted(name),
                       " from outside, expected none");
    unsigned type = ELF64_ST_TYPE(symbol.st_info);
    if (type != STT_NOTYPE && type != STT_OBJECT && type != STT_FUNC &&
        type != STT_SECTION)
      return dataError("the image's symbol ", quoted(name), " has the type ",
                       type, ", expected data or a function");
    if (symbol.st_shndx != SHN_ABS &&
        !segmentOf(symbol.st_value, symbol.st_size, false))
      return dataError("the image's symbol ", quoted(name),
                       " lies outside its segments");
    if (ELF64_ST_BIND(symbol.st_info) != STB_LOCAL)
      defined.emplace(std::move(name), symbol);
  }
  return Status();
}

Status ElfVerifier::verifyRelocations(int64_t table, int64_t bytes) {
  if (!has(table) && !has(bytes))
    return Status();
  uint64_t offset;
  if (!has(table) || !has(bytes) || !offsetOf(get(table), get(bytes), offset) ||
      get(bytes) % sizeof(Elf64_Rela) != 0 ||
      (has(DT_RELAENT) && get(DT_RELAENT) != sizeof(Elf64_Rela)) ||
      (has(DT_PLTREL) && get(DT_PLTREL) != DT_RELA))
    return dataError("the image's relocation table is malformed");
  bool isX86 = header.e_machine == EM_X86_64;
  for (uint64_t at = 0; at < get(bytes); at += sizeof(Elf64_Rela)) {
    Elf64_Rela relocation;
    if (!read(offset + at, relocation))
      return dataError("the image's relocation table is malformed");
    uint64_t type = ELF64_R_TYPE(relocation.r_info);
    // Not the indirect ones: those run code of the image while it is loaded.
    bool known =
        isX86 ? type == R_X86_64_RELATIVE || type == R_X86_64_64 ||
                    type == R_X86_64_GLOB_DAT || type == R_X86_64_JUMP_SLOT
              : type == R_AARCH64_RELATIVE || type == R_AARCH64_ABS64 ||
                    type == R_AARCH64_GLOB_DAT || type == R_AARCH64_JUMP_SLOT;
    if (!known)
      return dataError("the image has a relocation of type ", type,
                       ", which is not allowed");
    if (ELF64_R_SYM(relocation.r_info) >= std::max<uint64_t>(symbolCount, 1))
      return dataError("the image has a relocation to the unknown symbol ",
                       ELF64_R_SYM(relocation.r_info));
    const Elf64_Phdr *target = segmentOf(relocation.r_offset, 8, false);
    if (!target || !(target->p_flags & PF_W))
      return dataError("the image has a relocation outside its writable "
                       "segments");
  }
  return Status();
}

Status ElfVerifier::verifyRequired(const std::vector<std::string> &symbols) {
  for (const std::string &name : symbols) {
    auto found = defined.find(name);
    if (found == defined.end())
      return dataError("the image does not define the kernel ", quoted(name));
    const Elf64_Phdr *segment = segmentOf(found->second.st_value, 1, true);
    if (!segment || !(segment->p_flags & PF_X))
      return dataError("the image's kernel ", quoted(name), " is not code");
  }
  auto found = defined.find("infini_imports");
  if (found == defined.end())
    return dataError("the image does not define 'infini_imports'");
  const Elf64_Sym &imports = found->second;
  const Elf64_Phdr *segment =
      segmentOf(imports.st_value, imports.st_size, false);
  bool isReadOnly = imports.st_value < relro.p_vaddr + relro.p_memsz &&
                    relro.p_vaddr < imports.st_value + imports.st_size;
  if (!segment || !(segment->p_flags & PF_W) || isReadOnly ||
      imports.st_size % 8 != 0)
    return dataError("the image's 'infini_imports' is not a writable table");
  // A shorter table is that of an older compiler: imports are only ever added
  // at the end.
  if (imports.st_size > importCount * 8)
    return dataError("the image imports ", imports.st_size / 8,
                     " functions, this runtime has ", importCount,
                     "; use a newer runtime");
  return Status();
}

} // namespace

Status infini::verifyElfImage(const uint8_t *image, size_t size,
                              const std::string &triple,
                              const std::vector<std::string> &symbols) {
  return ElfVerifier(image, size).run(triple, symbols);
}
