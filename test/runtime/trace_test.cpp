// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a device's trace is told: every command of every step, on devices that
// do it at once, that copy, and that have a clock of their own; and that
// results are the same with it and without.

#include "cuda_test.h"
#include "infini/runtime/infini.h"
#include "remote_device.h"

#include <cmath>
#include <map>

using namespace infini;
using namespace infini::test;

namespace {

struct Event {
  infini_trace_kind kind;
  bool onDevice;
  std::string name, entry;
  uint64_t step;
  double start, end;
  int64_t grid[3];
  uint64_t count;
};

/// What is told, with the texts kept.
struct Told {
  static void take(void *user, const infini_trace_event *event) {
    static_cast<Told *>(user)->events.push_back(
        {event->kind,
         event->on_device != 0,
         event->name,
         event->entry,
         event->step,
         event->start,
         event->start + event->seconds,
         {event->grid[0], event->grid[1], event->grid[2]},
         event->count});
  }
  void attach(Device &device) { device.trace.emplace(take, this); }

  size_t count(infini_trace_kind kind, bool onDevice = false) const {
    size_t found = 0;
    for (const Event &event : events)
      found += event.kind == kind && event.onDevice == onDevice;
    return found;
  }
  /// Those of the kind and on the host lie in the step of their number, one
  /// after the other.
  void expectNested() const {
    std::map<std::pair<std::string, uint64_t>, const Event *> steps;
    for (const Event &event : events)
      if (event.kind == INFINI_TRACE_STEP)
        steps[{event.entry, event.step}] = &event;
    double end = 0;
    for (const Event &event : events) {
      EXPECT_GE(event.start, 0);
      EXPECT_GE(event.end, event.start);
      if (event.onDevice || event.kind > INFINI_TRACE_FILL ||
          event.kind == INFINI_TRACE_STEP)
        continue;
      EXPECT_GE(event.start, end);
      end = event.end;
      const Event *step = steps[{event.entry, event.step}];
      ASSERT_NE(step, nullptr) << event.name;
      EXPECT_GE(event.start, step->start);
      EXPECT_LE(event.end, step->end);
    }
  }

  std::vector<Event> events;
};

/// The commands of textProgram and thoroughProgram.
class Traced : public Cuda {
protected:
  /// The entry's commands in order, `steps` times, after those of main.init.
  void expectCommands(const Told &told, const Program &program, uint64_t steps,
                      bool onDevice) {
    std::vector<const Event *> commands;
    for (const Event &event : told.events)
      if (event.onDevice == onDevice && event.kind >= INFINI_TRACE_DISPATCH &&
          event.kind <= INFINI_TRACE_FILL)
        commands.push_back(&event);
    const Variant &variant = program.variants[0];
    size_t at = 0;
    auto expect = [&](const Entry &entry, uint64_t step) {
      for (const Command &command : entry.commands) {
        ASSERT_LT(at, commands.size());
        const Event &event = *commands[at++];
        EXPECT_EQ(event.entry, entry.name);
        EXPECT_EQ(event.step, step);
        if (command.kind == CommandKind::dispatch) {
          EXPECT_EQ(event.kind, INFINI_TRACE_DISPATCH);
          EXPECT_EQ(event.name, variant.kernels[command.kernel].name);
        } else {
          EXPECT_EQ(event.name,
                    command.kind == CommandKind::copy ? "copy" : "fill");
        }
      }
    };
    expect(variant.entries[0], 0);
    for (uint64_t step = 0; step < steps; ++step)
      expect(variant.entries[1], step);
    EXPECT_EQ(at, commands.size());
  }
};

TEST_F(Traced, Cpu) {
  ASSERT_FALSE(open("cpu", device));
  Told told;
  told.attach(*device);
  Program program = textProgram();
  std::unique_ptr<Session> session;
  ASSERT_FALSE(openSession(program, session));
  std::vector<float> got;
  ASSERT_FALSE(feed(*session, got));
  EXPECT_EQ(got, expectedLogits());
  // 100 tokens in calls of 16.
  EXPECT_EQ(told.count(INFINI_TRACE_STEP), 1u + 7);
  expectCommands(told, program, 7, false);
  told.expectNested();
  EXPECT_EQ(told.count(INFINI_TRACE_UPLOAD), 0u);
  for (const Event &event : told.events)
    EXPECT_FALSE(event.onDevice);
  // No more, and the same.
  size_t before = told.events.size();
  device->trace.reset();
  ASSERT_FALSE(session->reset());
  ASSERT_FALSE(feed(*session, got));
  EXPECT_EQ(got, expectedLogits());
  EXPECT_EQ(told.events.size(), before);
}

TEST_F(Traced, Sizes) {
  ASSERT_FALSE(open("cpu", device));
  Told told;
  Program program = addProgram();
  std::unique_ptr<Session> session;
  ASSERT_FALSE(openSession(program, session));
  told.attach(*device);
  std::vector<float> values(1000), sum(1000);
  infini_tensor inputs[] = {vectorOf(values), vectorOf(values)};
  infini_tensor output = vectorOf(sum);
  ASSERT_FALSE(session->call(inputs, 2, &output, 1));
  ASSERT_EQ(told.events.size(), 3u);
  EXPECT_EQ(told.events[0].name, "test_add");
  EXPECT_EQ(told.events[0].grid[0], 16);
  EXPECT_EQ(told.events[0].grid[1], 1);
  EXPECT_EQ(told.events[0].grid[2], 1);
  EXPECT_EQ(told.events[1].kind, INFINI_TRACE_COPY);
  EXPECT_EQ(told.events[1].count, 4000u);
  EXPECT_EQ(told.events[2].kind, INFINI_TRACE_STEP);
  EXPECT_EQ(told.events[2].name, "main");
}

/// A loop is told as a whole, after what it did.
TEST_F(Traced, Loops) {
  ASSERT_FALSE(open("cpu", device));
  Program program = addProgram();
  Entry &entry = program.variants[0].entries[0];
  Command loop = {};
  loop.kind = CommandKind::loop;
  loop.label = "rounds";
  loop.variable = entry.variables++;
  entry.variableNames.push_back("i");
  loop.tripCount = constant(entry, 3);
  loop.body = entry.commands;
  entry.commands = {loop};
  Told told;
  told.attach(*device);
  std::unique_ptr<Session> session;
  Status status = openSession(program, session);
  ASSERT_FALSE(status) << status.message();
  std::vector<float> values(10), sum(10);
  infini_tensor inputs[] = {vectorOf(values), vectorOf(values)};
  infini_tensor output = vectorOf(sum);
  ASSERT_FALSE(session->call(inputs, 2, &output, 1));
  EXPECT_EQ(told.count(INFINI_TRACE_DISPATCH), 3u);
  EXPECT_EQ(told.count(INFINI_TRACE_COPY), 3u);
  ASSERT_EQ(told.events.size(), 8u);
  const Event &all = told.events[6];
  EXPECT_EQ(all.kind, INFINI_TRACE_LOOP);
  EXPECT_EQ(all.name, "rounds");
  EXPECT_EQ(all.count, 3u);
  EXPECT_LE(all.start, told.events[0].start);
  EXPECT_GE(all.end, told.events[5].end);
  told.expectNested();
}

TEST_F(Traced, Remote) {
  auto remote = std::make_shared<RemoteDevice>();
  device = remote;
  Told told;
  told.attach(*device);
  Program program = textProgram();
  std::unique_ptr<Session> session;
  ASSERT_FALSE(openSession(program, session));
  std::vector<float> got;
  ASSERT_FALSE(feed(*session, got));
  expectCommands(told, program, 7, false);
  EXPECT_EQ(told.count(INFINI_TRACE_UPLOAD), 7u);
  EXPECT_EQ(told.count(INFINI_TRACE_DOWNLOAD), 7u);
  uint64_t step = 0;
  for (const Event &event : told.events)
    if (event.kind == INFINI_TRACE_UPLOAD) {
      EXPECT_EQ(event.name, "tokens");
      EXPECT_EQ(event.count, 4u * (step < 6 ? 16 : 4));
      EXPECT_EQ(event.step, step++);
    }
}

/// Two events a command: when the host gave it, and when the GPU did it. The
/// fake takes a microsecond for each operation.
TEST_F(Traced, Gpu) {
  for (const char *settings : {"", "lazy=1"}) {
    reset(settings);
    ASSERT_FALSE(open("cuda", device));
    Told told;
    told.attach(*device);
    Program program = thoroughProgram();
    std::unique_ptr<Session> session;
    ASSERT_FALSE(openSession(program, session));
    std::vector<float> got;
    ASSERT_FALSE(feed(*session, got));
    EXPECT_EQ(got, expectedLogits());
    expectCommands(told, program, 7, false);
    expectCommands(told, program, 7, true);
    told.expectNested();
    EXPECT_EQ(fake.count("cuGraphLaunch"), 0);
    double end = 0;
    for (const Event &event : told.events) {
      if (!event.onDevice)
        continue;
      if (event.kind == INFINI_TRACE_DISPATCH) {
        EXPECT_NEAR(event.end - event.start, 1e-6, 1e-10) << event.name;
      }
      EXPECT_GE(event.start, end - 1e-9);
      end = event.end;
    }
    // Without a trace calls become graphs again, and nobody asks for times.
    int64_t asked = fake.count("cuEventElapsedTime");
    EXPECT_GT(asked, 50);
    device->trace.reset();
    size_t before = told.events.size();
    for (int i = 0; i < 2; ++i) {
      ASSERT_FALSE(session->reset());
      ASSERT_FALSE(feed(*session, got));
      EXPECT_EQ(got, expectedLogits());
    }
    EXPECT_GT(fake.count("cuGraphLaunch"), 3);
    EXPECT_EQ(fake.count("cuEventElapsedTime"), asked);
    EXPECT_EQ(told.events.size(), before);
    session.reset();
    device.reset();
    expectNothingLeft();
  }
}

/// After a call that failed the marks of the next are its own.
TEST_F(Traced, GpuAfterFailure) {
  ASSERT_FALSE(open("cuda", device));
  Told told;
  told.attach(*device);
  Program program = thoroughProgram();
  std::unique_ptr<Session> session;
  ASSERT_FALSE(openSession(program, session));
  std::vector<float> got;
  fake.set("fail=cuMemcpyDtoDAsync_v2:2:1");
  Status status = feed(*session, got);
  EXPECT_TRUE(status);
  told.events.clear();
  ASSERT_FALSE(session->reset());
  ASSERT_FALSE(feed(*session, got));
  EXPECT_EQ(got, expectedLogits());
  EXPECT_EQ(told.count(INFINI_TRACE_DISPATCH, true), 7u);
  told.expectNested();
}

TEST(Trace, Interface) {
  infini_device *device = nullptr;
  ASSERT_FALSE(Status::adopt(infini_device_open("cpu", 1, &device)));
  infini_package *package = nullptr;
  std::string bytes = packageFile(addProgram());
  ASSERT_FALSE(Status::adopt(
      infini_package_from_memory(bytes.data(), bytes.size(), &package)));
  infini_session *session = nullptr;
  ASSERT_FALSE(Status::adopt(
      infini_session_open(package, nullptr, nullptr, device, &session)));
  std::vector<float> values(10), sum(10);
  infini_tensor inputs[] = {vectorOf(values), vectorOf(values)};
  infini_tensor output = vectorOf(sum);
  Told told;
  auto call = [&] {
    ASSERT_FALSE(
        Status::adopt(infini_function_call(session, inputs, 2, &output, 1)));
  };
  call();
  infini_device_set_trace(device, Told::take, &told);
  call();
  ASSERT_EQ(told.events.size(), 3u);
  // The second call of the session.
  EXPECT_EQ(told.events[0].step, 1u);
  infini_device_set_trace(device, nullptr, nullptr);
  call();
  EXPECT_EQ(told.events.size(), 3u);
  infini_session_release(session);
  infini_package_release(package);
  infini_device_release(device);
}

} // namespace
