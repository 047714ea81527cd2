// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which image of a package a GPU gets.

#include "infini/runtime/devices/cuda/choose_image.h"
#include "test_package.h"

#include <gtest/gtest.h>

using namespace infini;
using namespace infini::test;

namespace {

TEST(CudaChip, Names) {
  CudaChip chip;
  ASSERT_TRUE(parseCudaChip("sm_80", chip));
  EXPECT_EQ(chip.major, 8);
  EXPECT_EQ(chip.minor, 0);
  EXPECT_FALSE(chip.isSpecific);
  ASSERT_TRUE(parseCudaChip("sm_90a", chip));
  EXPECT_TRUE(chip.isSpecific);
  EXPECT_EQ(chip.name(), "sm_90a");
  ASSERT_TRUE(parseCudaChip("sm_121", chip));
  EXPECT_EQ(chip.major, 12);
  EXPECT_EQ(chip.minor, 1);
  for (const char *bad : {"", "sm_", "sm_a", "sm_8", "80", "sm_80b", "sm_8x",
                          "sm_99999", "compute_80", "gfx942"})
    EXPECT_FALSE(parseCudaChip(bad, chip)) << bad;
}

TEST(CudaChip, BestImage) {
  struct Case {
    const char *device;
    /// "chip" for PTX, "chip!" for a cubin.
    std::vector<const char *> images;
    /// -1: none.
    int best;
  };
  const Case cases[] = {
      {"sm_80", {"sm_80"}, 0},
      {"sm_90", {"sm_80"}, 0},
      {"sm_75", {"sm_80"}, -1},
      {"sm_80", {}, -1},
      // The newest PTX that is not newer.
      {"sm_90", {"sm_75", "sm_89", "sm_80", "sm_100"}, 1},
      {"sm_86", {"sm_75", "sm_89", "sm_80", "sm_100"}, 2},
      {"sm_120", {"sm_90", "sm_100", "sm_80"}, 1},
      // Machine code runs on the same major version, and later minor ones.
      {"sm_80", {"sm_80!"}, 0},
      {"sm_86", {"sm_80!"}, 0},
      {"sm_80", {"sm_86!"}, -1},
      {"sm_90", {"sm_80!", "sm_89!"}, -1},
      {"sm_89", {"sm_80!", "sm_86!", "sm_90!"}, 1},
      // It is better than PTX, where it fits.
      {"sm_86", {"sm_86", "sm_80!"}, 1},
      {"sm_90", {"sm_86!", "sm_80"}, 1},
      // Specific code: on that architecture alone, and then the best.
      {"sm_90", {"sm_90", "sm_90a", "sm_80"}, 1},
      {"sm_100", {"sm_90a", "sm_80"}, 1},
      {"sm_100", {"sm_90a"}, -1},
      {"sm_90", {"sm_90!", "sm_90a!"}, 1},
      {"sm_92", {"sm_90a!", "sm_90!"}, 1},
      {"sm_90", {"sm_90a", "sm_90!"}, 1},
      // Equals: the first.
      {"sm_90", {"sm_80", "sm_80"}, 0},
      // Names from a later time.
      {"sm_90", {"sm_90f", "sm_80"}, 1},
  };
  for (const Case &one : cases) {
    Program program;
    std::string what = one.device;
    for (std::string image : one.images) {
      what += " " + image;
      Target target = {};
      target.kind = "nvidia";
      target.format = ImageFormat::ptx;
      if (image.back() == '!') {
        target.format = ImageFormat::cubin;
        image.pop_back();
      }
      target.chip = image;
      program.targets.push_back(target);
    }
    CudaChip chip;
    ASSERT_TRUE(parseCudaChip(one.device, chip));
    size_t best = 99;
    Status status = chooseCudaImage(program, chip, "the GPU", best);
    EXPECT_EQ(bool(status), one.best < 0) << what;
    if (!status) {
      EXPECT_EQ(int(best), one.best) << what;
    }
  }
}

TEST(CudaChip, OtherKindsAreNotForIt) {
  Program program = addProgram();
  Target target = {};
  target.kind = "sim";
  target.chip = "sm_80";
  program.targets.push_back(target);
  target.kind = "nvidia";
  target.chip = "sm_100";
  target.format = ImageFormat::cubin;
  program.targets.push_back(target);
  size_t best;
  Status status = chooseCudaImage(program, {9, 0, false}, "GPU 0", best);
  EXPECT_EQ(status.message(),
            "the package has no kernels for GPU 0, only: 'cpu', 'sim' for "
            "'sm_80', 'nvidia' for 'sm_100' (cubin); compile it with --target "
            "nvidia:<chip>, a chip that is not newer than sm_90");
}

} // namespace
