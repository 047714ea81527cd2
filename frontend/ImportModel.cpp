// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "infini/frontend/ImportModel.h"
#include "infini/frontend/LinalgEmitter.h"
#include "infini/frontend/ModelTensors.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Verifier.h"

using namespace infini;
using namespace mlir;

namespace {

/// An argument or result of the function.
struct Port {
  Type type;
  StringRef role;
  std::string name;
};

class StepBuilder {
public:
  StepBuilder(const ModelConfig &config, const ModelTensors &tensors,
              MLIRContext &context)
      : config(config), tensors(tensors),
        builder(UnknownLoc::get(&context), &context),
        element(typeOf(config.computeType)), emit(builder, element) {}

  OwningOpRef<ModuleOp> build();

private:
  FloatType typeOf(ElementType type);
  RankedTensorType tensorOf(ArrayRef<int64_t> shape, Type type) {
    return RankedTensorType::get(shape, type);
  }
  SmallVector<Port> statePorts();
  SmallVector<Port> weightPorts();
  DictionaryAttr modelAttribute();
  DictionaryAttr portAttribute(const Port &port);
  void createFunction(ModuleOp module);
  void buildBody();
  /// The residual stream [T, D] after a layer.
  Value buildLayer(size_t index, Value x);
  /// q, k, v [T, heads, d] → [T, H, d]; takes the layer's states off
  /// `oldStates`, and puts the next ones on `newStates`.
  Value buildAttention(const LayerTensors &layer, ValueRange sequences);
  /// The body of the scan, on one segment.
  void buildSegment(SegmentScanOp scan, bool hasMemory);
  Value weight(size_t index) { return weights[index]; }

  const ModelConfig &config;
  const ModelTensors &tensors;
  ImplicitLocOpBuilder builder;
  FloatType element;
  LinalgEmitter emit;

  func::FuncOp function;
  Value tokens, fill;
  ValueRange oldStates, weights;
  SmallVector<Value> newStates;
};

} // namespace

//===----------------------------------------------------------------------===//
// The function and its attributes
//===----------------------------------------------------------------------===//

FloatType StepBuilder::typeOf(ElementType type) {
  switch (type) {
  case ElementType::f64:
    return builder.getF64Type();
  case ElementType::f16:
    return builder.getF16Type();
  case ElementType::bf16:
    return builder.getBF16Type();
  default:
    // Configuration and tensors were checked to have a float type.
    return builder.getF32Type();
  }
}

SmallVector<Port> StepBuilder::statePorts() {
  int64_t length = config.segmentLength, groups = config.keyValueHeads,
          size = config.headDim;
  SmallVector<Port> ports;
  for (auto [index, layer] : llvm::enumerate(tensors.layers)) {
    auto state = [&, index = index](StringRef name, ArrayRef<int64_t> shape,
                                    Type type) {
      ports.push_back({tensorOf(shape, type), "state",
                       ("layers." + Twine(index) + "." + name).str()});
    };
    if (layer.beta) {
      state("M", {1, groups, size, size}, emit.getWide());
      state("z", {1, groups, size}, emit.getWide());
    }
    state("K", {length, groups, size}, element);
    state("V", {length, groups, size}, element);
  }
  return ports;
}

SmallVector<Port> StepBuilder::weightPorts() {
  SmallVector<Port> ports;
  for (const WeightTensor &tensor : tensors.all)
    ports.push_back({tensorOf(tensor.shape, typeOf(tensor.element)), "weight",
                     tensor.name});
  return ports;
}

DictionaryAttr StepBuilder::modelAttribute() {
  auto number = [&](int64_t value) { return builder.getI64IntegerAttr(value); };
  return builder.getDictionaryAttr({
      builder.getNamedAttr("fingerprint",
                           builder.getStringAttr(fingerprint(config, tensors))),
      builder.getNamedAttr("config", builder.getStringAttr(config.text)),
      builder.getNamedAttr("vocab_size", number(config.vocabSize)),
      builder.getNamedAttr("segment_length", number(config.segmentLength)),
      builder.getNamedAttr("max_tokens_per_call",
                           number(config.maxTokensPerCall)),
      builder.getNamedAttr("layers", number(config.layers)),
  });
}

DictionaryAttr StepBuilder::portAttribute(const Port &port) {
  return builder.getDictionaryAttr(
      {builder.getNamedAttr("program.role", builder.getStringAttr(port.role)),
       builder.getNamedAttr("program.name", builder.getStringAttr(port.name))});
}

void StepBuilder::createFunction(ModuleOp module) {
  constexpr int64_t dynamic = ShapedType::kDynamic;
  Port fillPort = {builder.getIndexType(), "state", "fill"};
  SmallVector<Port> states = statePorts();
  SmallVector<Port> inputs = {
      {tensorOf(dynamic, builder.getI32Type()), "argument", "tokens"},
      fillPort};
  SmallVector<Port> outputs = {
      {tensorOf({dynamic, config.vocabSize}, emit.getWide()), "argument",
       "logits"},
      fillPort};
  llvm::append_range(inputs, states);
  llvm::append_range(inputs, weightPorts());
  llvm::append_range(outputs, states);

  auto types = [](ArrayRef<Port> ports) {
    return llvm::map_to_vector(ports,
                               [](const Port &port) { return port.type; });
  };
  auto attributes = [&](ArrayRef<Port> ports) {
    return llvm::map_to_vector(ports, [&](const Port &port) -> Attribute {
      return portAttribute(port);
    });
  };
  builder.setInsertionPointToEnd(module.getBody());
  function = func::FuncOp::create(
      builder, "step", builder.getFunctionType(types(inputs), types(outputs)));
  function.setAllArgAttrs(builder.getArrayAttr(attributes(inputs)));
  function.setAllResultAttrs(builder.getArrayAttr(attributes(outputs)));

  builder.setInsertionPointToStart(function.addEntryBlock());
  ValueRange arguments = function.getArguments();
  tokens = arguments[0];
  fill = arguments[1];
  oldStates = arguments.slice(2, states.size());
  weights = arguments.take_back(tensors.all.size());
}

OwningOpRef<ModuleOp> StepBuilder::build() {
  OwningOpRef<ModuleOp> module(ModuleOp::create(builder.getLoc()));
  (*module)->setAttr("program.model", modelAttribute());
  createFunction(*module);
  buildBody();
  return module;
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

void StepBuilder::buildBody() {
  Value x = emit.gather(tokens, weight(tensors.embedding));
  for (size_t i = 0; i < tensors.layers.size(); ++i) {
    // Diagnostics and remarks of passes say which layer they are about.
    builder.setLoc(NameLoc::get(builder.getStringAttr("layers." + Twine(i))));
    x = buildLayer(i, x);
  }
  builder.setLoc(UnknownLoc::get(builder.getContext()));
  x = emit.rmsNorm(x, weight(tensors.norm), config.rmsNormEps);
  Value logits = emit.project(x, weight(tensors.head));

  AffineExpr sum = builder.getAffineDimExpr(0) + builder.getAffineDimExpr(1);
  Value newFill = affine::AffineApplyOp::create(
      builder, AffineMap::get(2, 0, sum % config.segmentLength),
      ValueRange{fill, emit.dim(tokens, 0)});
  SmallVector<Value> results = {logits, newFill};
  llvm::append_range(results, newStates);
  func::ReturnOp::create(builder, results);
}

Value StepBuilder::buildLayer(size_t index, Value x) {
  const LayerTensors &layer = tensors.layers[index];
  Value h = emit.rmsNorm(x, weight(layer.inputNorm), config.rmsNormEps);
  auto heads = [&](size_t matrix, int64_t count) {
    Value projected = emit.project(h, weight(matrix));
    return emit.splitHeads(emit.convert(projected, element), count);
  };
  Value q = heads(layer.query, config.heads);
  Value k = heads(layer.key, config.keyValueHeads);
  Value v = heads(layer.value, config.keyValueHeads);
  Value attention = emit.joinHeads(buildAttention(layer, {q, k, v}));
  x = emit.add(x, emit.project(attention, weight(layer.output)));

  h = emit.rmsNorm(x, weight(layer.attentionNorm), config.rmsNormEps);
  Value gate = emit.project(h, weight(layer.gate));
  Value up = emit.project(h, weight(layer.up));
  Value unit = emit.gatedUnit(gate, up);
  return emit.add(x, emit.project(unit, weight(layer.down)));
}

Value StepBuilder::buildAttention(const LayerTensors &layer,
                                  ValueRange sequences) {
  bool hasMemory = layer.beta.has_value();
  SmallVector<Value> invariants;
  if (hasMemory)
    invariants.push_back(emit.convert(weight(*layer.beta), emit.getWide()));
  size_t memories = hasMemory ? 2 : 0;
  ValueRange states = oldStates.take_front(memories);
  ValueRange pending = oldStates.slice(memories, 2);
  oldStates = oldStates.drop_front(memories + 2);

  SmallVector<Type> types = {sequences[0].getType()};
  llvm::append_range(types, states.getTypes());
  llvm::append_range(types, pending.getTypes());
  auto scan = SegmentScanOp::create(
      builder, types, sequences, /*per_segment=*/ValueRange(), invariants,
      states, fill, pending, config.segmentLength,
      /*sequence_axes=*/{0, 0, 0}, /*output_axes=*/{0}, /*num_stacked=*/0,
      /*pending_sequences=*/{1, 2});
  buildSegment(scan, hasMemory);
  // The scan's results have the order of the function's: M, z, K, V.
  llvm::append_range(newStates, scan.getResults().drop_front());
  return scan.getResults().front();
}

void StepBuilder::buildSegment(SegmentScanOp scan, bool hasMemory) {
  OpBuilder::InsertionGuard guard(builder);
  // One argument an operand, but for `fill` and the pending values, and then
  // the position.
  SmallVector<Type> types;
  for (ValueRange group :
       {ValueRange(scan.getSequences()), ValueRange(scan.getInvariants()),
        ValueRange(scan.getStates())})
    llvm::append_range(types, group.getTypes());
  types.push_back(builder.getIndexType());
  SmallVector<Location> locations(types.size(), builder.getLoc());
  Block *block = builder.createBlock(&scan.getBody(), {}, types, locations);
  ValueRange arguments = block->getArguments();
  Value position = arguments.back();

  Value q = emit.headsFirst(arguments[0]);
  Value k = emit.headsFirst(arguments[1]);
  Value v = emit.headsFirst(arguments[2]);
  APFloat base(config.ropeTheta), factor(config.ropeFactor);
  auto rope = [&](Value x, Value offset) -> Value {
    return RopeOp::create(builder, x, offset, /*cos=*/Value(), /*sin=*/Value(),
                          base, factor);
  };
  Value turnedQuery = rope(q, position);
  // The keys begin with the pending ones, so theirs is position 0.
  Value turnedKey = rope(k, Value());
  Value output = SegmentAttentionOp::create(
      builder, q.getType(), turnedQuery, turnedKey, v,
      /*past_key=*/Value(), /*past_value=*/Value(), /*bias=*/Value(),
      /*query_offset=*/Value(), Mask::Causal, /*window=*/IntegerAttr(),
      /*scale=*/FloatAttr());

  SmallVector<Value> next;
  if (hasMemory) {
    Value beta = arguments[3], memory = arguments[4], normalizer = arguments[5];
    // The memory sees queries and keys before RoPE.
    Value query = FeatureMapOp::create(builder, q, config.featureMap);
    Value key = FeatureMapOp::create(builder, k, config.featureMap);
    Value remembered = MemoryRetrieveOp::create(builder, q.getType(), query,
                                                memory, normalizer);
    bool localOnly = config.firstSegment == FirstSegment::LocalOnly;
    output =
        GateOp::create(builder, output.getType(), remembered, output, beta,
                       localOnly ? normalizer : Value(), config.firstSegment);
    auto update =
        MemoryUpdateOp::create(builder, memory.getType(), normalizer.getType(),
                               key, v, memory, normalizer, config.update);
    next = {update.getNewMemory(), update.getNewNormalizer()};
  }
  next.insert(next.begin(), emit.tokensFirst(output));
  YieldOp::create(builder, next);
}

//===----------------------------------------------------------------------===//
// Entry point
//===----------------------------------------------------------------------===//

OwningOpRef<ModuleOp>
infini::importModel(StringRef folder, const ImportOptions &options,
                    MLIRContext &context,
                    function_ref<InFlightDiagnostic()> emitError) {
  llvm::Expected<ModelConfig> config = readConfig(folder, options);
  if (!config) {
    emitError() << llvm::toString(config.takeError());
    return nullptr;
  }
  llvm::Expected<ModelTensors> tensors =
      readModelTensors(folder, *config, options.retrofit);
  if (!tensors) {
    emitError() << llvm::toString(tensors.takeError());
    return nullptr;
  }
  context.loadDialect<affine::AffineDialect, arith::ArithDialect,
                      func::FuncDialect, InfiniDialect, linalg::LinalgDialect,
                      math::MathDialect, tensor::TensorDialect>();
  OwningOpRef<ModuleOp> module =
      StepBuilder(*config, *tensors, context).build();
  // Whatever the folder holds, what comes out is valid: else this is a bug, and
  // the verifier says which.
  if (failed(verify(*module)))
    return nullptr;
  return module;
}
