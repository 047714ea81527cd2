// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layouts: coordinates, and the layouts of reduced and transposed tiles.

#include "infini/dialect/tile/Layout.h"
#include "infini/dialect/tile/TileOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include <map>

using namespace mlir;
using namespace infini;
using namespace infini::tile;

#define GET_ATTRDEF_CLASSES
#include "infini/dialect/tile/TileAttributes.cpp.inc"

void TileDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "infini/dialect/tile/TileAttributes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static ParseResult parseBases(AsmParser &parser, StringRef name,
                              SmallVector<LayoutBasis> &bases) {
  if (parser.parseKeyword(name) || parser.parseEqual())
    return failure();
  return parser.parseCommaSeparatedList(
      AsmParser::Delimiter::Square, [&]() -> ParseResult {
        LayoutBasis basis;
        if (succeeded(parser.parseOptionalKeyword("_"))) {
          bases.push_back(basis);
          return success();
        }
        llvm::SMLoc place = parser.getCurrentLocation();
        if (parser.parseInteger(basis.dim) || parser.parseColon() ||
            parser.parseInteger(basis.stride))
          return failure();
        if (basis.dim < 0)
          return parser.emitError(place, "expected a dimension of at least 0 "
                                         "(or _, for replicas), got ")
                 << basis.dim;
        bases.push_back(basis);
        return success();
      });
}

Attribute LayoutAttr::parse(AsmParser &parser, Type) {
  SmallVector<LayoutBasis> lane, warp, reg;
  SmallVector<int64_t> repeat;
  if (parser.parseLess() || parseBases(parser, "lane", lane) ||
      parser.parseComma() || parseBases(parser, "warp", warp) ||
      parser.parseComma() || parseBases(parser, "register", reg) ||
      parser.parseComma() || parser.parseKeyword("repeat") ||
      parser.parseEqual() ||
      parser.parseCommaSeparatedList(
          AsmParser::Delimiter::Square,
          [&] { return parser.parseInteger(repeat.emplace_back()); }) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<LayoutAttr>(parser.getContext(), lane, warp, reg,
                                       repeat);
}

void LayoutAttr::print(AsmPrinter &printer) const {
  auto print = [&](StringRef name, ArrayRef<LayoutBasis> bases) {
    printer << name << " = [";
    llvm::interleaveComma(bases, printer, [&](LayoutBasis basis) {
      if (basis.isReplica())
        printer << "_";
      else
        printer << basis.dim << ":" << basis.stride;
    });
    printer << "], ";
  };
  printer << "<";
  print("lane", getLane());
  print("warp", getWarp());
  print("register", getReg());
  printer << "repeat = [";
  llvm::interleaveComma(getRepeat(), printer);
  printer << "]>";
}

LogicalResult
LayoutAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                   ArrayRef<LayoutBasis> lane, ArrayRef<LayoutBasis> warp,
                   ArrayRef<LayoutBasis> reg, ArrayRef<int64_t> repeat) {
  // layout_c1
  if (lane.size() != kLaneBits)
    return emitError() << "expected " << kLaneBits << " lane bases, got "
                       << lane.size();
  // layout_c2
  std::map<int64_t, uint64_t> strides;
  for (ArrayRef<LayoutBasis> bases : {lane, warp, reg})
    for (LayoutBasis basis : bases) {
      if (basis.isReplica())
        continue;
      if (basis.dim >= static_cast<int64_t>(repeat.size()))
        return emitError() << "expected dimensions below the rank ("
                           << repeat.size() << "), got " << basis.dim;
      if (basis.stride < 1 || !llvm::isPowerOf2_64(basis.stride) ||
          (strides[basis.dim] & basis.stride))
        return emitError() << "expected strides along dimension " << basis.dim
                           << " to be different powers of two, got "
                           << basis.stride;
      strides[basis.dim] |= basis.stride;
    }
  for (auto [dim, mask] : strides)
    if (mask & (mask + 1))
      return emitError() << "expected strides along dimension " << dim
                         << " to be 1, 2, 4, … without a gap";
  // layout_c3
  if (llvm::any_of(reg, [](LayoutBasis basis) { return basis.isReplica(); }))
    return emitError() << "expected no replicas among registers";
  // layout_c4
  for (int64_t count : repeat)
    if (count < 1)
      return emitError() << "expected positive repeats, got " << count;
  return success();
}

LogicalResult LayoutAttr::verifyEncoding(
    ArrayRef<int64_t> shape, Type,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  // layout_c5
  Coordinate own = getShape();
  if (ArrayRef<int64_t>(own) == shape)
    return success();
  return emitError() << "expected a tile of the layout's shape [" << own
                     << "], got [" << shape << "]";
}

LogicalResult
SharedAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                   int64_t pitch, int64_t rows, int64_t mask) {
  // shared_c1
  if (rows < 1)
    return emitError() << "expected 'rows' to be positive, got " << rows;
  if (mask != 0 && mask != 1 && mask != 3 && mask != 7)
    return emitError() << "expected 'mask' to be 0, 1, 3, or 7, got " << mask;
  // shared_c2
  if (pitch < 1 || pitch % (16 * (mask + 1)) != 0)
    return emitError() << "expected 'pitch' to be a positive multiple of "
                       << 16 * (mask + 1) << ", got " << pitch;
  return success();
}

//===----------------------------------------------------------------------===//
// Coordinates
//===----------------------------------------------------------------------===//

Coordinate LayoutAttr::getAtom() const {
  Coordinate atom(getRank(), 1);
  for (ArrayRef<LayoutBasis> bases : {getLane(), getWarp(), getReg()})
    for (LayoutBasis basis : bases)
      if (!basis.isReplica())
        atom[basis.dim] *= 2;
  return atom;
}

Coordinate LayoutAttr::getShape() const {
  Coordinate shape = getAtom();
  for (auto [size, count] : llvm::zip(shape, getRepeat()))
    size *= count;
  return shape;
}

int64_t LayoutAttr::getRegisters() const {
  int64_t count = getAtomRegisters();
  for (int64_t repeat : getRepeat())
    count *= repeat;
  return count;
}

LayoutBasis LayoutAttr::getThreadBasis(unsigned bit) const {
  return bit < kLaneBits ? getLane()[bit] : getWarp()[bit - kLaneBits];
}

Coordinate LayoutAttr::getRegisterOffset(int64_t reg) const {
  Coordinate offset(getRank(), 0);
  for (auto [bit, basis] : llvm::enumerate(getReg()))
    if ((reg >> bit) & 1)
      offset[basis.dim] += basis.stride;
  int64_t rest = reg / getAtomRegisters();
  Coordinate atom = getAtom();
  for (int64_t dim = getRank() - 1; dim >= 0; --dim) {
    offset[dim] += rest % getRepeat()[dim] * atom[dim];
    rest /= getRepeat()[dim];
  }
  return offset;
}

Coordinate LayoutAttr::getThreadOffset(int64_t thread) const {
  Coordinate offset(getRank(), 0);
  for (unsigned bit = 0; bit < getThreadBits(); ++bit) {
    LayoutBasis basis = getThreadBasis(bit);
    if (!basis.isReplica() && ((thread >> bit) & 1))
      offset[basis.dim] += basis.stride;
  }
  return offset;
}

Coordinate LayoutAttr::getCoordinate(int64_t thread, int64_t reg) const {
  Coordinate result = getThreadOffset(thread);
  for (auto [to, more] : llvm::zip(result, getRegisterOffset(reg)))
    to += more;
  return result;
}

int64_t LayoutAttr::getContiguous(int64_t dim) const {
  int64_t width = 1;
  for (LayoutBasis basis : getReg()) {
    if (basis.dim != dim || basis.stride != width)
      break;
    width *= 2;
  }
  return width;
}

//===----------------------------------------------------------------------===//
// Other layouts
//===----------------------------------------------------------------------===//

LayoutAttr LayoutAttr::dropDim(int64_t axis) const {
  auto drop = [&](ArrayRef<LayoutBasis> bases, bool keepReplicas) {
    SmallVector<LayoutBasis> result;
    for (LayoutBasis basis : bases) {
      if (basis.dim == axis)
        basis = LayoutBasis();
      else if (basis.dim > axis)
        --basis.dim;
      if (!basis.isReplica() || keepReplicas)
        result.push_back(basis);
    }
    return result;
  };
  SmallVector<int64_t> repeat(getRepeat());
  repeat.erase(repeat.begin() + axis);
  return get(getContext(), drop(getLane(), true), drop(getWarp(), true),
             drop(getReg(), false), repeat);
}

LayoutAttr LayoutAttr::permute(ArrayRef<int64_t> permutation) const {
  SmallVector<int64_t> inverse(permutation.size()), repeat;
  for (auto [to, from] : llvm::enumerate(permutation)) {
    inverse[from] = to;
    repeat.push_back(getRepeat()[from]);
  }
  auto move = [&](ArrayRef<LayoutBasis> bases) {
    SmallVector<LayoutBasis> result(bases);
    for (LayoutBasis &basis : result)
      if (!basis.isReplica())
        basis.dim = inverse[basis.dim];
    return result;
  };
  return get(getContext(), move(getLane()), move(getWarp()), move(getReg()),
             repeat);
}

LayoutAttr LayoutAttr::withRepeat(ArrayRef<int64_t> repeat) const {
  return get(getContext(), getLane(), getWarp(), getReg(), repeat);
}

std::optional<SmallVector<int64_t>>
LayoutAttr::registersFrom(LayoutAttr from) const {
  if (getShape() != from.getShape())
    return std::nullopt;
  return registersFrom(from, llvm::to_vector(llvm::seq<int64_t>(0, getRank())),
                       Coordinate(getRank(), 0));
}

std::optional<SmallVector<int64_t>>
LayoutAttr::registersFrom(LayoutAttr from, ArrayRef<int64_t> dims,
                          ArrayRef<int64_t> offsets) const {
  // A coordinate is the sum of a thread's part and a register's, and register
  // numbers are the same in all threads: so each part must fit for itself.
  if (getThreadBits() != from.getThreadBits())
    return std::nullopt;
  for (unsigned bit = 0; bit < getThreadBits(); ++bit) {
    LayoutBasis basis = getThreadBasis(bit);
    if (!basis.isReplica())
      basis.dim = dims[basis.dim];
    if (basis.isReplica())
      basis = LayoutBasis();
    if (!(basis == from.getThreadBasis(bit)))
      return std::nullopt;
  }
  std::map<Coordinate, int64_t> held;
  for (int64_t reg = 0; reg < from.getRegisters(); ++reg)
    held[from.getRegisterOffset(reg)] = reg;
  SmallVector<int64_t> result;
  for (int64_t reg = 0; reg < getRegisters(); ++reg) {
    Coordinate there(offsets.begin(), offsets.end());
    for (auto [offset, dim] : llvm::zip_equal(getRegisterOffset(reg), dims))
      if (dim >= 0)
        there[dim] += offset;
    auto it = held.find(there);
    if (it == held.end())
      return std::nullopt;
    result.push_back(it->second);
  }
  return result;
}
