// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cpu/cpu_features.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

using namespace infini;

#if defined(__x86_64__)

/// X(LLVM's name, the compiler's name). The builtin wants literals.
#define INFINI_X86_FEATURES(X)                                                         \
  X("cmov", "cmov")                                                                    \
  X("mmx", "mmx")                                                                      \
  X("sse", "sse")                                                                      \
  X("sse2", "sse2")                                                                    \
  X("sse3", "sse3") X("ssse3", "ssse3") X("sse4.1", "sse4.1") X(                       \
      "sse4.2", "sse4.2") X("crc32", "sse4.2") X("popcnt", "popcnt")                   \
      X("avx", "avx") X("avx2", "avx2") X("fma", "fma") X("fma4", "fma4") X(           \
          "xop", "xop") X("bmi", "bmi") X("bmi2", "bmi2") X("lzcnt", "lzcnt")          \
          X("f16c", "f16c") X("movbe", "movbe") X("aes", "aes") X(                     \
              "pclmul",                                                                \
              "pclmul") X("sha",                                                       \
                          "sha") X("adx",                                              \
                                   "adx") X("gfni",                                    \
                                            "gfni") X("vaes",                          \
                                                      "vaes") X("vpclmulqdq",          \
                                                                "vpclmulqdq")          \
              X("sse4a", "sse4a") X("tbm", "tbm") X("lwp", "lwp") X(                   \
                  "cx8",                                                               \
                  "cmpxchg8b") X("cx16",                                               \
                                 "cmpxchg16b") X("fxsr",                               \
                                                 "fx"                                  \
                                                 "sa"                                  \
                                                 "v"                                   \
                                                 "e") X("sahf", "lahf_lm")             \
                  X("64bit", "lm") X(                                                  \
                      "xsave",                                                         \
                      "xsave") X("xsaveopt",                                           \
                                 "xsaveopt") X("xsavec",                               \
                                               "xsavec") X("xsaves",                   \
                                                           "xsaves") X("f"             \
                                                                       "s"             \
                                                                       "g"             \
                                                                       "s"             \
                                                                       "b"             \
                                                                       "a"             \
                                                                       "s"             \
                                                                       "e",            \
                                                                       "f"             \
                                                                       "s"             \
                                                                       "g"             \
                                                                       "s"             \
                                                                       "b"             \
                                                                       "a"             \
                                                                       "s"             \
                                                                       "e") X("rdrnd", \
                                                                              "rdrnd") \
                      X("rdseed", "rdseed") X(                                         \
                          "rdpid",                                                     \
                          "rdpid") X("prfchw",                                         \
                                     "prfchw") X("clflushopt",                         \
                                                 "clflusho"                            \
                                                 "pt") X("clwb", "clwb")               \
                          X("clzero", "clzero") X("wbnoinvd", "wbnoinvd") X(           \
                              "mwaitx",                                                \
                              "mwai"                                                   \
                              "tx") X("pku", "pku")                                    \
                              X("avx512f",                                             \
                                "avx512f") X("avx512cd", "avx512cd")                   \
                                  X("avx512bw", "avx512bw") X(                         \
                                      "avx512dq",                                      \
                                      "avx512d"                                        \
                                      "q") X("avx512vl",                               \
                                             "avx512vl") X("avx512ifma",               \
                                                           "avx512ifma")               \
                                      X("avx512vbmi", "avx512vbmi") X(                 \
                                          "avx512vbmi2",                               \
                                          "avx512vbmi2") X("avx512vnni",               \
                                                           "avx512vnni") X("a"         \
                                                                           "v"         \
                                                                           "x"         \
                                                                           "5"         \
                                                                           "1"         \
                                                                           "2"         \
                                                                           "b"         \
                                                                           "i"         \
                                                                           "t"         \
                                                                           "a"         \
                                                                           "l"         \
                                                                           "g",        \
                                                                           "a"         \
                                                                           "v"         \
                                                                           "x"         \
                                                                           "5"         \
                                                                           "1"         \
                                                                           "2"         \
                                                                           "b"         \
                                                                           "i"         \
                                                                           "t"         \
                                                                           "a"         \
                                                                           "l"         \
                                                                           "g")        \
                                          X("avx512vpopcntdq", "avx512vpo"             \
                                                               "pcntdq")               \
                                              X("a"                                    \
                                                "v"                                    \
                                                "x"                                    \
                                                "5"                                    \
                                                "1"                                    \
                                                "2"                                    \
                                                "b"                                    \
                                                "f"                                    \
                                                "1"                                    \
                                                "6",                                   \
                                                "a"                                    \
                                                "v"                                    \
                                                "x"                                    \
                                                "5"                                    \
                                                "1"                                    \
                                                "2"                                    \
                                                "b"                                    \
                                                "f"                                    \
                                                "1"                                    \
                                                "6") X("avx512fp16",                   \
                                                       "avx512"                        \
                                                       "fp16") X("avx512v"             \
                                                                 "p2inter"             \
                                                                 "sec"                 \
                                                                 "t",                  \
                                                                 "avx512v"             \
                                                                 "p2inter"             \
                                                                 "sec"                 \
                                                                 "t")                  \
                                                  X("avxvnni",                         \
                                                    "avxvnni") X("amx-"                \
                                                                 "tile",               \
                                                                 "amx-"                \
                                                                 "til"                 \
                                                                 "e")                  \
                                                      X("amx-int8",                    \
                                                        "amx-"                         \
                                                        "int"                          \
                                                        "8") X("amx-bf16",             \
                                                               "amx-bf16")             \
                                                          X("movdiri",                 \
                                                            "m"                        \
                                                            "o"                        \
                                                            "v"                        \
                                                            "d"                        \
                                                            "i"                        \
                                                            "r"                        \
                                                            "i") X("movdir64"          \
                                                                   "b",                \
                                                                   "movdir64"          \
                                                                   "b") X("w"          \
                                                                          "a"          \
                                                                          "i"          \
                                                                          "t"          \
                                                                          "p"          \
                                                                          "k"          \
                                                                          "g",         \
                                                                          "w"          \
                                                                          "a"          \
                                                                          "i"          \
                                                                          "t"          \
                                                                          "p"          \
                                                                          "k"          \
                                                                          "g")         \
                                                              X("seri"                 \
                                                                "aliz"                 \
                                                                "e",                   \
                                                                "seri"                 \
                                                                "aliz"                 \
                                                                "e") X("shst"          \
                                                                       "k",            \
                                                                       "shst"          \
                                                                       "k")

static FeatureSupport lookUp(const std::string &name) {
  // Part of every x86-64 processor and of what the operating system expects.
  if (name == "x87" || name == "nopl" || name == "vzeroupper")
    return FeatureSupport::present;
  __builtin_cpu_init();
#define INFINI_CHECK(llvm, builtin)                                            \
  if (name == llvm)                                                            \
    return __builtin_cpu_supports(builtin) ? FeatureSupport::present           \
                                           : FeatureSupport::absent;
  INFINI_X86_FEATURES(INFINI_CHECK)
#undef INFINI_CHECK
  return FeatureSupport::unknown;
}

#elif defined(__aarch64__)

static FeatureSupport lookUp(const std::string &name) {
  struct Feature {
    const char *name;
    unsigned long type, bit;
  };
  // The bits of Linux's <asm/hwcap.h>, which is not there when cross-compiling.
  static const Feature features[] = {
      {"fp-armv8", AT_HWCAP, 0},  {"neon", AT_HWCAP, 1},
      {"aes", AT_HWCAP, 3},       {"sha2", AT_HWCAP, 6},
      {"crc", AT_HWCAP, 7},       {"lse", AT_HWCAP, 8},
      {"fullfp16", AT_HWCAP, 10}, {"rdm", AT_HWCAP, 12},
      {"dotprod", AT_HWCAP, 20},  {"sve", AT_HWCAP, 22},
      {"fp16fml", AT_HWCAP, 23},  {"sve2", AT_HWCAP2, 1},
      {"i8mm", AT_HWCAP2, 13},    {"bf16", AT_HWCAP2, 14},
  };
  for (const Feature &feature : features)
    if (name == feature.name)
      return getauxval(feature.type) >> feature.bit & 1
                 ? FeatureSupport::present
                 : FeatureSupport::absent;
  return FeatureSupport::unknown;
}

#else

static FeatureSupport lookUp(const std::string &) {
  return FeatureSupport::unknown;
}

#endif

FeatureSupport infini::cpuFeatureSupport(const std::string &name) {
  return lookUp(!name.empty() && name[0] == '+' ? name.substr(1) : name);
}
