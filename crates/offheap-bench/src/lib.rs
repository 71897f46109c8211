//! Nothing but a home for the benchmarks in `benches/`, and for the program whose instructions are counted.
