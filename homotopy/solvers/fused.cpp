// One seed's training and evaluation, an epoch at a time, on one core: the work of homotopy/solvers/fused.py.
//
// Every product of matrices is done in blocks that stay in registers, at nearly the rate at which a core can multiply
// and add. An element is one sum in the order of its index, one fused multiply-add a term, so that a seed's numbers are
// the same on all processors that have this instruction, whatever the width of their vectors.
//
// Compiled with -DREAL=float or double. With -DKEEP_SUBNORMALS=1 it is as slow as without `FlushSubnormals`: the
// benchmark shows what that gains.

#include <algorithm>
#include <cmath>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#if defined(__aarch64__)
#include <arm_neon.h>
#else
#include <immintrin.h>
#endif

using real = REAL;

// Without fused multiply-adds the reference would be faster. What follows assumes that a processor of another kind than
// ARM64 which has them is an x86.
#if !defined(__FMA__) && !defined(__aarch64__)
#error "needs a processor with fused multiply-adds: ARM64, or x86 with FMA"
#endif

#if defined(__AVX512F__)
#define BYTES 64
constexpr int VECTORS = 4;
#elif defined(__aarch64__)
#define BYTES 16
constexpr int VECTORS = 4;
#else
#define BYTES 32
constexpr int VECTORS = 2;
#endif
// ROWS by VECTORS sums and what is multiplied for them fit the registers: 25 of 32 with AVX-512 or on ARM64, else 13 of
// 16.
constexpr int ROWS = 5;
constexpr long LANES = BYTES / sizeof(real);

typedef real vec __attribute__((vector_size(BYTES), aligned(sizeof(real)), may_alias));
#define INLINE static inline __attribute__((always_inline))

// While it lives, its thread takes subnormal numbers for 0 and makes none. The moments of units that are off decay into
// them, and on some processors an operation on one takes many times as long: an epoch late in training three times.
#ifndef KEEP_SUBNORMALS
#define KEEP_SUBNORMALS 0
#endif
class FlushSubnormals {
  public:
    FlushSubnormals() : before(mode()) { set_mode(before | FLUSH); }
    ~FlushSubnormals() { set_mode(before); }
    FlushSubnormals(const FlushSubnormals &) = delete;

  private:
#if defined(__aarch64__)
    using Mode = unsigned long;
    static constexpr Mode FLUSH = KEEP_SUBNORMALS ? 0 : 1 << 24;  // FZ of FPCR
    static Mode mode() {
        Mode value;
        asm volatile("mrs %0, fpcr" : "=r"(value));
        return value;
    }
    static void set_mode(Mode value) { asm volatile("msr fpcr, %0" : : "r"(value) : "memory"); }
#else
    using Mode = unsigned int;
    static constexpr Mode FLUSH = KEEP_SUBNORMALS ? 0 : 0x8040;  // FTZ and DAZ of MXCSR
    static Mode mode() { return _mm_getcsr(); }
    static void set_mode(Mode value) { _mm_setcsr(value); }
#endif
    const Mode before;
};

// Element (r, k) of a product's first factor is at[r * row + k * depth].
struct Factor {
    const real *at;
    long row, depth;
};

// Rows of `stride` elements.
struct Matrix {
    real *at;
    long stride;
    real *row(long r) const { return at + r * stride; }
};

enum Finish { PLAIN, RELU, MASK };  // what happens to a sum: nothing, ReLU, or times ReLU's derivative; NaN stays

// factor x + sum, one operation whose result is rounded once. Asked for by name: for some processors compilers would
// take two, a product and a sum, which gives other numbers.
#if defined(__AVX512F__)
INLINE __m512 fma(float factor, __m512 x, __m512 sum) { return _mm512_fmadd_ps(_mm512_set1_ps(factor), x, sum); }
INLINE __m512d fma(double factor, __m512d x, __m512d sum) { return _mm512_fmadd_pd(_mm512_set1_pd(factor), x, sum); }
#elif defined(__aarch64__)
INLINE float32x4_t fma(float factor, float32x4_t x, float32x4_t sum) { return vfmaq_n_f32(sum, x, factor); }
INLINE float64x2_t fma(double factor, float64x2_t x, float64x2_t sum) { return vfmaq_n_f64(sum, x, factor); }
#else
INLINE __m256 fma(float factor, __m256 x, __m256 sum) { return _mm256_fmadd_ps(_mm256_set1_ps(factor), x, sum); }
INLINE __m256d fma(double factor, __m256d x, __m256d sum) { return _mm256_fmadd_pd(_mm256_set1_pd(factor), x, sum); }
#endif

INLINE vec load(const real *from) { return *reinterpret_cast<const vec *>(from); }
INLINE void store(real *to, vec value) { *reinterpret_cast<vec *>(to) = value; }

// `rows` rows and `vectors` vectors of a product, in registers from the first term to the last.
template <int rows, int vectors, Finish finish>
INLINE void block(long depth, Factor a, Matrix x, Matrix out, const real *units) {
    vec sum[rows][vectors] = {};
    for (long k = 0; k < depth; k++) {
        vec xs[vectors];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) xs[v] = load(x.row(k) + v * LANES);
#pragma GCC unroll 5
        for (int r = 0; r < rows; r++) {
            const real factor = a.at[r * a.row + k * a.depth];
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) sum[r][v] = fma(factor, xs[v], sum[r][v]);
        }
    }
#pragma GCC unroll 5
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            vec value = sum[r][v];
            if (finish == RELU) value = value < 0 ? vec{} : value;
            if (finish == MASK) value = load(units + r * out.stride + v * LANES) <= 0 ? vec{} : value;
            store(out.row(r) + v * LANES, value);
        }
}

// All rows of `vectors` vectors.
template <int vectors, Finish finish>
INLINE void strip(long rows, long depth, Factor a, Matrix x, Matrix out, const real *units) {
    for (long r = 0; r < rows;) {
        const Factor from = {a.at + r * a.row, a.row, a.depth};
        const Matrix to = {out.row(r), out.stride};
        const real *mask = finish == MASK ? units + r * out.stride : nullptr;
        const bool whole = rows - r >= ROWS;
        if (whole)
            block<ROWS, vectors, finish>(depth, from, x, to, mask);
        else
            block<1, vectors, finish>(depth, from, x, to, mask);
        r += whole ? ROWS : 1;
    }
}

// out (rows, columns) = finish(a (rows, depth) x (depth, columns)), a strip of columns after the other, so that the
// strip of x stays in the first cache. Rows are read and written up to a whole number of vectors: strips go from right
// to left and rows downwards, so that what is written beyond a row's end is overwritten where the next row begins there.
template <Finish finish>
static void product(long rows, long columns, long depth, Factor a, Matrix x, Matrix out, const real *units = nullptr) {
    constexpr long WIDE = VECTORS * LANES;
    for (long c = (columns - 1) / WIDE * WIDE; c >= 0; c -= WIDE) {
        const Matrix from = {x.at + c, x.stride}, to = {out.at + c, out.stride};
        const real *mask = finish == MASK ? units + c : nullptr;
        switch (std::min<long>(VECTORS, (columns - c + LANES - 1) / LANES)) {
            case 1: strip<1, finish>(rows, depth, a, from, to, mask); break;
            case 2: strip<2, finish>(rows, depth, a, from, to, mask); break;
            case 3: strip<3, finish>(rows, depth, a, from, to, mask); break;
            case 4: strip<4, finish>(rows, depth, a, from, to, mask); break;
        }
    }
}

// Swaps, in each square of 2 size along the diagonal of a tile, the upper right with the lower left quarter, then does
// so with half the size. From LANES / 2 on, this transposes the tile.
template <long size, std::size_t... k>
INLINE void exchange(vec *tile, std::index_sequence<k...> lanes) {
#pragma GCC unroll 16
    for (long r = 0; r < LANES; r++)
        if (!(r & size)) {
            const vec upper = tile[r], lower = tile[r + size];
            tile[r] = vec{(k & size ? lower : upper)[k & ~size]...};
            tile[r + size] = vec{(k & size ? lower : upper)[k | size]...};
        }
    if constexpr (size > 1) exchange<size / 2>(tile, lanes);
}

// to (columns, rows) = from (rows, columns) transposed, both up to whole tiles. Written by whole vectors, since the
// product that follows reads such.
static void transpose(long rows, long columns, Matrix from, Matrix to) {
    for (long i = 0; i < rows; i += LANES)
        for (long j = 0; j < columns; j += LANES) {
            vec tile[LANES];
#pragma GCC unroll 16
            for (long r = 0; r < LANES; r++) tile[r] = load(from.row(std::min(i + r, rows - 1)) + j);
            exchange<LANES / 2>(tile, std::make_index_sequence<LANES>());
#pragma GCC unroll 16
            for (long r = 0; r < LANES; r++) store(to.row(j + r) + i, tile[r]);
        }
}

// An update rule and what it remembers, in the layout of theta: Adam's two moments, SGD's momentum, or nothing.
struct Rule {
    bool adam;
    double lr, beta1, beta2, eps, momentum;
    double step;  // taken so far
    real *first, *second;
};

// As PyTorch's Adam. Nothing is left to the compiler to fuse or not: the numbers would depend on its choice.
static void adam(const Rule &rule, long count, const real *__restrict__ gradient, real *__restrict__ theta,
                 real *__restrict__ first, real *__restrict__ second) {
    const real size = rule.lr / (1 - std::pow(rule.beta1, rule.step));
    const real scale = 1 / std::sqrt(1 - std::pow(rule.beta2, rule.step));
    const real rest1 = 1 - rule.beta1, beta2 = rule.beta2, rest2 = 1 - rule.beta2, eps = rule.eps;
    for (long i = 0; i < count; i++) {
        const real g = gradient[i];
        first[i] = std::fma(g - first[i], rest1, first[i]);
        second[i] = std::fma(g * g, rest2, beta2 * second[i]);
        theta[i] -= size * first[i] / std::fma(std::sqrt(second[i]), scale, eps);
    }
}

// As PyTorch's SGD; `buffer` is null without momentum.
static void sgd(const Rule &rule, long count, const real *__restrict__ gradient, real *__restrict__ theta,
                real *__restrict__ buffer) {
    const real lr = rule.lr, momentum = rule.momentum;
    for (long i = 0; i < count; i++) {
        const real direction = buffer ? std::fma(momentum, buffer[i], gradient[i]) : gradient[i];
        if (buffer) buffer[i] = direction;
        theta[i] = std::fma(-lr, direction, theta[i]);
    }
}

// Moves the `count` parameters from `start` on by their gradient.
static void move(const Rule &rule, long start, long count, const real *gradient, real *theta) {
    if (rule.adam)
        adam(rule, count, gradient, theta + start, rule.first + start, rule.second + start);
    else
        sgd(rule, count, gradient, theta + start, rule.first ? rule.first + start : nullptr);
}

struct Free {
    void operator()(real *memory) const { ::operator delete(memory, std::align_val_t(BYTES)); }
};

// Buffers for mini-batches, samples along the rows: units[l] (sizes[l] + 1, batch) are what layer l reads, the last of
// them constantly 1, so that its matrix, weight (in, out) above bias (out,), is one factor; units.back() predicts.
class Network {
  public:
    Network(const long *sizes, long layers, long batch) : sizes(sizes), layers(layers) {
        const long widest = *std::max_element(sizes, sizes + layers + 1);
        for (long l = 0; l <= layers; l++) {
            units.push_back(matrix(sizes[l] + 1, batch));
            std::fill_n(units[l].row(sizes[l]), batch, real(1));
        }
        delta = matrix(widest, batch);
        below = matrix(widest, batch);
        delta_t = matrix(batch + LANES, widest);  // whole tiles
        gradient.resize((widest + 1) * widest + LANES);
        for (long l = 0; l < layers; l++) starts.push_back(starts.back() + (sizes[l] + 1) * sizes[l + 1]);
    }

    // Predictions for x (count, sizes[0]).
    Matrix forward(const real *theta, const real *x, long count) {
        for (long b = 0; b < count; b++)
            for (long d = 0; d < sizes[0]; d++) units[0].row(d)[b] = x[b * sizes[0] + d];
        for (long l = 0; l < layers; l++) {
            const Factor weight = {theta + starts[l], 1, sizes[l + 1]};
            if (l + 1 < layers)
                product<RELU>(sizes[l + 1], count, sizes[l] + 1, weight, units[l], units[l + 1]);
            else
                product<PLAIN>(sizes[l + 1], count, sizes[l] + 1, weight, units[l], units[l + 1]);
        }
        return units.back();
    }

    // Moves theta against the gradient of the mean over the samples of the squared error summed over outputs.
    void step(real *theta, const real *y, long count, const Rule &rule) {
        const long outputs = sizes[layers];
        for (long b = 0; b < count; b++)
            for (long o = 0; o < outputs; o++)
                delta.row(o)[b] = (units.back().row(o)[b] - y[b * outputs + o]) * real(2.0 / count);
        for (long l = layers - 1; l >= 0; l--) {
            const long in = sizes[l], out = sizes[l + 1];
            if (l > 0) product<MASK>(in, count, out, {theta + starts[l], out, 1}, delta, below, units[l].at);
            transpose(out, count, delta, delta_t);
            product<PLAIN>(in + 1, out, count, {units[l].at, units[l].stride, 1}, delta_t, {gradient.data(), out});
            move(rule, starts[l], (in + 1) * out, gradient.data(), theta);
            std::swap(delta, below);
        }
    }

  private:
    // Every row begins with a whole vector. Their number in a row is odd, so that the rows of a column do not all
    // compete for one place in the cache.
    Matrix matrix(long rows, long columns) {
        const long stride = LANES * ((columns + LANES - 1) / LANES | 1);
        memory.emplace_back(static_cast<real *>(::operator new(rows *stride * sizeof(real), std::align_val_t(BYTES))));
        std::fill_n(memory.back().get(), rows * stride, real(0));
        return {memory.back().get(), stride};
    }

    const long *sizes;
    const long layers;
    std::vector<long> starts = {0};  // of each layer in theta
    std::vector<std::unique_ptr<real[], Free>> memory;
    std::vector<Matrix> units;
    Matrix delta, below, delta_t;
    std::vector<real> gradient;  // of one layer
};

// The sum over samples and outputs; prediction (outputs, count), y (count, outputs).
static double squared_error(Matrix prediction, const real *y, long count, long outputs) {
    double sum = 0;
    for (long b = 0; b < count; b++)
        for (long o = 0; o < outputs; o++) {
            const double residual = double(prediction.row(o)[b]) - double(y[b * outputs + o]);
            sum = std::fma(residual, residual, sum);
        }
    return sum;
}

// Calls work(network, start, count) for each mini-batch, without subnormal numbers; false if there is no memory for one.
template <typename Work>
static bool in_batches(const long *sizes, long layers, long samples, long batch, Work work) {
    const FlushSubnormals flush;
    try {
        Network network(sizes, layers, std::min(batch, samples));
        for (long start = 0; start < samples; start += batch) work(network, start, std::min(batch, samples - start));
    } catch (const std::bad_alloc &) {
        return false;
    }
    return true;
}

extern "C" {

// An epoch on x (samples, sizes[0]), y (samples, sizes[layers]). losses are the sums over it of the squared errors of y
// and, unless that is null, of y_target, before each sample's step.
bool train(const long *sizes, long layers, real *theta, const Rule *rule, const real *x, const real *y,
           const real *y_target, long samples, long batch, double *losses) {
    Rule now = *rule;
    const long inputs = sizes[0], outputs = sizes[layers];
    losses[0] = losses[1] = 0;
    return in_batches(sizes, layers, samples, batch, [&](Network &network, long start, long count) {
        const Matrix prediction = network.forward(theta, x + start * inputs, count);
        losses[0] += squared_error(prediction, y + start * outputs, count, outputs);
        if (y_target) losses[1] += squared_error(prediction, y_target + start * outputs, count, outputs);
        now.step += 1;
        network.step(theta, y + start * outputs, count, now);
    });
}

// loss is the sum over x (samples, sizes[0]), y (samples, sizes[layers]) of the squared errors.
bool evaluate(const long *sizes, long layers, const real *theta, const real *x, const real *y, long samples, long batch,
              double *loss) {
    const long inputs = sizes[0], outputs = sizes[layers];
    *loss = 0;
    return in_batches(sizes, layers, samples, batch, [&](Network &network, long start, long count) {
        const Matrix prediction = network.forward(theta, x + start * inputs, count);
        *loss += squared_error(prediction, y + start * outputs, count, outputs);
    });
}
}
