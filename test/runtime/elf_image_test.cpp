// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cpu/cpu_features.h"
#include "infini/runtime/devices/cpu/loader.h"
#include "infini/runtime/elf_image.h"
#include "test_package.h"

#include <cstring>
#include <elf.h>
#include <gtest/gtest.h>
#include <random>

using namespace infini;
using namespace infini::test;

namespace {

const std::vector<std::string> kernels = {"test_add", "test_text"};

Status verify(const std::string &image) {
  return verifyElfImage(reinterpret_cast<const uint8_t *>(image.data()),
                        image.size(), hostArchitecture() + "-linux", kernels);
}

TEST(ElfImage, GoodOne) {
  Status status = verify(kernelImage());
  EXPECT_FALSE(status) << status.message();
}

TEST(ElfImage, BadOnes) {
  auto expect = [](const char *kind, const char *message) {
    Status status = verify(kernelImage(kind));
    EXPECT_EQ(status.code(), INFINI_DATA_ERROR) << kind;
    EXPECT_NE(status.message().find(message), std::string::npos)
        << kind << ": " << status.message();
  };
  expect("undefined", "needs the symbol 'somewhere_else' from outside");
  expect("constructor", "constructors or destructors");
  expect("indirect", "symbol 'test_indirect' has the type");
  expect("thread-local", "thread-local");
  expect("needed", "needs another library");
  expect("stack", "executable stack");
}

TEST(ElfImage, OtherMachine) {
  const std::string &image = kernelImage();
  std::string other = hostArchitecture() == "x86_64" ? "aarch64" : "x86_64";
  auto *bytes = reinterpret_cast<const uint8_t *>(image.data());
  EXPECT_TRUE(verifyElfImage(bytes, image.size(), other + "-linux", kernels));
  EXPECT_NE(verifyElfImage(bytes, image.size(), "pdp11-bsd", kernels)
                .message()
                .find("expected x86_64 or aarch64"),
            std::string::npos);
}

TEST(ElfImage, MissingKernel) {
  const std::string &image = kernelImage();
  EXPECT_NE(verifyElfImage(reinterpret_cast<const uint8_t *>(image.data()),
                           image.size(), hostArchitecture() + "-linux",
                           {"test_ad"})
                .message()
                .find("does not define the kernel 'test_ad'"),
            std::string::npos);
  // Data is no kernel.
  EXPECT_NE(verifyElfImage(reinterpret_cast<const uint8_t *>(image.data()),
                           image.size(), hostArchitecture() + "-linux",
                           {"infini_imports"})
                .message()
                .find("is not code"),
            std::string::npos);
}

/// Truncations and flips of the parts that we read: no crash, and nothing that
/// reaches past the end is accepted.
TEST(ElfImage, Damage) {
  const std::string &image = kernelImage();
  Elf64_Ehdr header;
  std::memcpy(&header, image.data(), sizeof header);
  size_t loaded = 0;
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, image.data() + header.e_phoff + size_t(i) * 56,
                sizeof segment);
    if (segment.p_type == PT_LOAD)
      loaded = std::max(loaded, size_t(segment.p_offset + segment.p_filesz));
  }
  for (size_t size = 0; size < loaded; ++size)
    EXPECT_TRUE(verify(image.substr(0, size))) << size;
  std::mt19937 random(1);
  for (int round = 0; round < 200000; ++round) {
    std::string damaged = image;
    for (int i = round % 3; i >= 0; --i)
      damaged[random() % loaded] ^= char(1 << random() % 8);
    (void)verify(damaged);
    if (round < 20000) {
      damaged = image;
      damaged[round % 0x400] = char(random());
      (void)verify(damaged);
    }
  }
}

TEST(CpuFeatures, Lookup) {
  EXPECT_EQ(cpuFeatureSupport("no-such-feature"), FeatureSupport::unknown);
#if defined(__x86_64__)
  EXPECT_EQ(cpuFeatureSupport("sse2"), FeatureSupport::present);
  EXPECT_EQ(cpuFeatureSupport("+sse2"), FeatureSupport::present);
  // Of two makers: no processor has both.
  EXPECT_TRUE(cpuFeatureSupport("fma4") == FeatureSupport::absent ||
              cpuFeatureSupport("amx-tile") == FeatureSupport::absent);
#endif
}

TEST(CpuTarget, Refusals) {
  Target target;
  target.kind = "cpu";
  target.triple = "sparc-sun-solaris";
  EXPECT_NE(checkCpuTarget(target).message().find("'sparc-sun-solaris'"),
            std::string::npos);
  target.triple = hostArchitecture() + "-linux";
  target.features = {"-avx10.1-512", ""};
  EXPECT_FALSE(checkCpuTarget(target));
  target.features = {"time-travel"};
  EXPECT_NE(checkCpuTarget(target).message().find("'time-travel'"),
            std::string::npos);
}

} // namespace
