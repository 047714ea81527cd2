// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "infini/passes/emit/Profile.h"
#include "infini/runtime/chrome_trace.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/PassInstrumentation.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <deque>
#include <mutex>

using namespace mlir;
using namespace infini;

static std::string toText(llvm::json::Value value) {
  std::string result;
  llvm::raw_string_ostream(result) << value;
  return result;
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

namespace infini {
class EventLog {
public:
  EventLog() : open(1) { lanes[llvm::get_threadid()] = 0; }

  void begin(StringRef name, const char *category,
             llvm::json::Object arguments = {}) {
    std::lock_guard<std::mutex> lock(mutex);
    // A thread that nobody announced is one on which a pass manager runs all of
    // its work, to survive a crash, while ours waits.
    unsigned lane = lanes.try_emplace(llvm::get_threadid(), 0).first->second;
    events.push_back({toText(llvm::json::fixUTF8(name)), category, lane + 1,
                      now(), 0, toText(std::move(arguments))});
    open[lane].push_back(&events.back());
  }

  void end() {
    std::lock_guard<std::mutex> lock(mutex);
    auto it = lanes.find(llvm::get_threadid());
    if (it == lanes.end() || open[it->second].empty())
      return;
    chrome::Event &event = *open[it->second].back();
    open[it->second].pop_back();
    event.seconds = now() - event.startSeconds;
  }

  /// The calling thread works for another.
  void addWorker() {
    std::lock_guard<std::mutex> lock(mutex);
    if (lanes.try_emplace(llvm::get_threadid(), open.size()).second)
      open.emplace_back();
  }

  std::string text() const {
    std::string result = chrome::begin("\"infini-compile\"");
    for (size_t i = 0; i < open.size(); ++i)
      result += chrome::thread(
          unsigned(i + 1), toText(i ? "worker " + std::to_string(i) : "main"));
    for (const chrome::Event &event : events)
      result += chrome::event(event);
    return result + chrome::end;
  }

private:
  using Clock = std::chrono::steady_clock;
  double now() const {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  const Clock::time_point start = Clock::now();
  std::mutex mutex;
  /// Of threads. Pointers to events stay good as more are added.
  llvm::DenseMap<uint64_t, unsigned> lanes;
  std::deque<chrome::Event> events;
  std::deque<std::vector<chrome::Event *>> open;
};
} // namespace infini

namespace {
class PassTrace final : public PassInstrumentation {
public:
  explicit PassTrace(EventLog &log) : log(log) {}

  void runBeforePipeline(std::optional<OperationName> name,
                         const PipelineParentInfo &parent) override {
    if (parent.parentThreadID != llvm::get_threadid())
      log.addWorker();
    log.begin(name ? name->getStringRef() : StringRef("any op"), "pipeline");
  }
  void runAfterPipeline(std::optional<OperationName>,
                        const PipelineParentInfo &) override {
    log.end();
  }
  void runBeforePass(Pass *pass, Operation *op) override {
    llvm::json::Object arguments{{"op", op->getName().getStringRef().str()}};
    if (auto name =
            op->getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName()))
      arguments["symbol"] = llvm::json::fixUTF8(name.getValue());
    // What runs pipelines on nested ops is a pass without an argument.
    StringRef argument = pass->getArgument();
    log.begin(argument.empty() ? "nested pipelines" : argument, "pass",
              std::move(arguments));
  }
  void runAfterPass(Pass *, Operation *) override { log.end(); }
  void runAfterPassFailed(Pass *, Operation *) override { log.end(); }

private:
  EventLog &log;
};
} // namespace

//===----------------------------------------------------------------------===//
// Profiles
//===----------------------------------------------------------------------===//

Profile::Profile(bool isTimed, bool isTraced) {
  timing.setEnabled(isTimed);
  timing.setDisplayMode(DefaultTimingManager::DisplayMode::Tree);
  root = timing.getRootScope();
  if (isTraced)
    log = std::make_unique<EventLog>();
}

Profile::~Profile() = default;

void Profile::attach(PassManager &passes) {
  if (log)
    passes.addInstrumentation(std::make_unique<PassTrace>(*log));
  if (timing.isEnabled())
    passes.enableTiming(*current);
}

void Profile::attach(llvm::PassInstrumentationCallbacks &callbacks) {
  if (!log)
    return;
  callbacks.registerBeforeNonSkippedPassCallback(
      [this](StringRef name, llvm::Any) { log->begin(name, "llvm"); });
  callbacks.registerAfterPassCallback(
      [this](StringRef, llvm::Any, const llvm::PreservedAnalyses &) {
        log->end();
      });
  callbacks.registerAfterPassInvalidatedCallback(
      [this](StringRef, const llvm::PreservedAnalyses &) { log->end(); });
}

std::string Profile::traceText() const { return log->text(); }

Phase::Phase(Profile &profile, StringRef name)
    : profile(profile), scope(profile.current->nest(name)),
      outer(profile.current) {
  profile.current = &scope;
  if (profile.log)
    profile.log->begin(name, "phase");
}

Phase::~Phase() {
  if (profile.log)
    profile.log->end();
  profile.current = outer;
}
