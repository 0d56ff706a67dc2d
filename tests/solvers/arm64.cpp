// One call of fused.cpp's train or evaluate with what stands on standard input; what it changed goes to standard output.
// tests/solvers/test_arm64.py compiles this for another processor and runs it in an emulator.

#include "../../homotopy/solvers/fused.cpp"

#include <cstdio>
#include <cstdlib>

template <typename Value>
static std::vector<Value> received(long count) {
    std::vector<Value> values(count);
    if (std::fread(values.data(), sizeof(Value), count, stdin) != std::size_t(count)) std::abort();
    return values;
}

template <typename Value>
static void send(const std::vector<Value> &values) {
    std::fwrite(values.data(), sizeof(Value), values.size(), stdout);
}

int main() {
    const auto head = received<long>(5);
    const long layers = head[0], samples = head[1], batch = head[2];
    const bool trains = head[3], has_target = head[4];
    const auto sizes = received<long>(layers + 1);
    long count = 0;
    for (long l = 0; l < layers; l++) count += (sizes[l] + 1) * sizes[l + 1];
    auto theta = received<real>(count);
    const auto x = received<real>(samples * sizes[0]), y = received<real>(samples * sizes[layers]);
    const auto y_target = received<real>(has_target ? y.size() : 0);
    std::vector<double> losses(2);
    if (!trains) {
        if (!evaluate(sizes.data(), layers, theta.data(), x.data(), y.data(), samples, batch, losses.data())) return 1;
        send(losses);
        return 0;
    }
    const auto rule = received<double>(6);
    auto first = received<real>(count), second = received<real>(count);
    const Rule adam = {true, rule[0], rule[1], rule[2], rule[3], rule[4], rule[5], first.data(), second.data()};
    const real *targets = has_target ? y_target.data() : nullptr;
    if (!train(sizes.data(), layers, theta.data(), &adam, x.data(), y.data(), targets, samples, batch, losses.data()))
        return 1;
    send(theta), send(first), send(second), send(losses);
}
