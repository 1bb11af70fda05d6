// A layer is a loop nest over eight dimensions with a list of operands. Everything that maps, simulates
// or bounds work starts from this one plain struct; it knows nothing of hardware.
//
//   for n in N, g in G, k in K, p in P, q in Q, c in C, r in R, s in S:
//     O[n,g,k,p,q] += W[g,k,c,r,s] * I[n,g,c, p*stride_p + r*dilation_r - padding_top,
//                                             q*stride_q + s*dilation_s - padding_left]
//
// K and C count channels *per group*: a depthwise layer has G = channels and K = C = 1. A fully
// connected layer has P = Q = R = S = 1. A batched matrix product is G batches of O[P,K] += I[P,C] W[C,K]
// with W an activation. Names of the dimensions follow Timeloop, with K for its M.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace atl {

enum class Dim : std::uint8_t { N, G, K, C, P, Q, R, S };
inline constexpr std::size_t dim_count = 8;
inline constexpr std::array<std::string_view, dim_count> dim_names = {"N", "G", "K", "C", "P", "Q", "R", "S"};
constexpr std::size_t index(Dim d) {
  return static_cast<std::size_t>(d);
}

enum class Operand : std::uint8_t { W, I, O };
inline constexpr std::size_t operand_count = 3;
inline constexpr std::array<std::string_view, operand_count> operand_names = {"W", "I", "O"};
constexpr std::size_t index(Operand o) {
  return static_cast<std::size_t>(o);
}

/// conv, fc and matmul multiply and accumulate; pool and elementwise move data only.
/// pool: no W, one output per window, G = channels, K = C = 1; with a 1x1 window it is a copy, which is
/// how concatenation and other pure moves of data stand here. elementwise: W is the second activation, of
/// the output's shape (O = I + W), G = channels, K = C = R = S = 1.
enum class LayerOp : std::uint8_t { conv, fc, matmul, pool, elementwise };
std::string_view name(LayerOp op);

/// What is known about an operand's values; part of every key. Defaults: dense 8 bit, exact multiplier.
struct OperandTraits {
  std::uint16_t bits = 8;
  float density = 1.0F;               // share of non-zero values
  std::uint32_t distinct_values = 0;  // 0: not restricted
  std::uint16_t multiplier = 0;       // id of an approximate multiplier, 0: exact
  bool operator==(const OperandTraits&) const = default;
};

/// Layers of this many operations and more are not mapped: sums over levels and instances could pass 2^53,
/// beyond which a count is no longer exact.
inline constexpr std::uint64_t operations_limit = 1'000'000'000'000;

struct Layer {
  LayerOp op = LayerOp::conv;
  std::array<std::uint32_t, dim_count> size = {1, 1, 1, 1, 1, 1, 1, 1};  // by Dim
  // vertical (P, R) and horizontal (Q, S)
  std::array<std::uint32_t, 2> stride = {1, 1};
  std::array<std::uint32_t, 2> dilation = {1, 1};
  std::array<std::uint32_t, 2> padding_before = {0, 0};  // top, left
  std::array<std::uint32_t, 2> padding_after = {0, 0};   // bottom, right
  // Rows and columns of the stored input, without padding. The window may not reach all of them.
  std::array<std::uint32_t, 2> input_extent = {1, 1};
  std::array<OperandTraits, operand_count> traits = {};

  std::uint32_t operator[](Dim d) const { return size[index(d)]; }
  bool operator==(const Layer&) const = default;

  /// Products of extents as exact integers (checked by validate to stay below 2^53).
  std::uint64_t macs() const;                     // N*G*K*C*P*Q*R*S for layers that multiply, else 0
  std::uint64_t operations() const;               // the same product for every kind
  std::uint64_t elements(Operand operand) const;  // words of the whole stored tensor (no padding)
  bool has(Operand operand) const;                // pool has no W
  bool multiplies() const { return op == LayerOp::conv || op == LayerOp::fc || op == LayerOp::matmul; }

  /// Throws InputError naming the rule if a dimension is 0, the window does not fit the padded input,
  /// the output shape does not follow from it, traits are out of range, or products exceed 2^53.
  void validate(std::string_view layer_name) const;
};

/// Whether `operand` of a layer of kind `op` changes with dimension `d` at all.
bool depends(LayerOp op, Operand operand, Dim d);

/// How many steps the window of `layer` takes over the padded input along `axis` (0 vertical: P,
/// 1 horizontal: Q), rounded down; 0 if the window does not fit once.
std::uint32_t window_steps(const Layer& layer, std::size_t axis);

/// Lengthens padding_after so that the steps are rounded up instead (the ceil mode of pooling). A last
/// window that would start behind the input is not taken.
void extend_to_round_up(Layer& layer, std::size_t axis);

/// Sets input_extent to what P, Q, R, S, stride, dilation and padding imply (smallest that fits).
void infer_input_extent(Layer& layer);

/// A canonical text of everything that matters for cost ("conv N1 G1 K64 C64 P56 Q56 R3 S3 s1,1 ...");
/// equal layers have equal keys, and the key's hash never changes between versions. What cannot matter is
/// left out: the dilation of a window of one word, the stride of a single step, traits of a missing W.
std::string layer_key(const Layer& layer);

}  // namespace atl
