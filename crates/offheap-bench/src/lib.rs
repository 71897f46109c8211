//! Nothing but a home for the benchmarks in `benches/`, for the program whose instructions are counted, and for the one
//! that measures where streaming gains.
