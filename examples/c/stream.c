// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Streams a text of any length through a model, in constant memory, and goes on
// with it: stream PACKAGE WEIGHTS TEXT [TOKENS]
//
// The tokens are bytes, so the model's vocabulary must be 256. How to build it
// stands in docs/install.md. Exit status: 0 good, 1 a mistake of the user's, 70
// a bug of infini's.
#include "infini/runtime/infini.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOCABULARY = 256, BLOCK = 1 << 16 };

// Each function that can fail returns a status: null, or a code and a text.
static void check(infini_status *status) {
  if (!status)
    return;
  fprintf(stderr, "stream: error: %s\n", infini_status_message(status));
  int exit_status = infini_status_code(status) == INFINI_BUG ? 70 : 1;
  infini_status_release(status);
  exit(exit_status); // what is open goes with the process
}

static void fail(const char *what, const char *which) {
  fprintf(stderr, "stream: error: %s '%s'\n", what, which);
  exit(1);
}

// Called for each piece of the text with its logits, a row a token. They are
// valid until this returns: what is needed later is copied.
static int keep_last_row(void *user, const float *logits, size_t count,
                         size_t vocab_size) {
  memcpy(user, logits + (count - 1) * vocab_size, vocab_size * sizeof(float));
  return 0; // another number would stop
}

int main(int argc, char **argv) {
  if (argc < 4 || argc > 5) {
    fprintf(stderr, "usage: stream PACKAGE WEIGHTS TEXT [TOKENS]\n");
    return 1;
  }
  FILE *text = fopen(argv[3], "rb");
  if (!text)
    fail("cannot open the text", argv[3]);

  // A package is what infini-compile made of the model; the weights are the
  // model's own folder. "cuda" would be a GPU; 0 threads: one for each core.
  infini_package *package;
  infini_weights *weights;
  infini_device *device;
  infini_session *session;
  infini_model_info model;
  check(infini_package_open(argv[1], &package));
  if (!infini_package_model(package, &model) || model.vocab_size != VOCABULARY)
    fail("expected a model whose tokens are bytes, got", argv[1]);
  check(infini_weights_open(argv[2], &weights));
  check(infini_device_open("cpu", 0, &device));
  check(infini_session_open(package, NULL, weights, device, &session));

  // However long the text is, no more than a block of it is here at once.
  static unsigned char bytes[BLOCK];
  static int32_t tokens[BLOCK];
  static float logits[VOCABULARY];
  size_t count, total = 0;
  while ((count = fread(bytes, 1, BLOCK, text)) > 0) {
    for (size_t i = 0; i < count; ++i)
      tokens[i] = bytes[i];
    check(infini_session_feed_each(session, tokens, count, keep_last_row,
                                   logits));
    total += count;
  }
  if (ferror(text) || total == 0)
    fail(total ? "cannot read the text" : "expected at least one byte in",
         argv[3]);

  // The most likely token is the text's next one, and is fed in its turn.
  for (long left = argc == 5 ? atol(argv[4]) : 32; left > 0; --left) {
    int32_t best = 0;
    for (int32_t i = 1; i < VOCABULARY; ++i)
      if (logits[i] > logits[best])
        best = i;
    putchar(best);
    check(infini_session_feed(session, &best, 1, logits));
  }
  putchar('\n');

  // In any order: a session keeps what it was made from alive.
  infini_session_release(session);
  infini_device_release(device);
  infini_weights_release(weights);
  infini_package_release(package);
  fclose(text);
  return 0;
}
