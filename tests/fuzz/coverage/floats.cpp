// Comparisons of floating point numbers, which GCC reports too and libFuzzer does not know.
extern "C" void __sanitizer_cov_trace_cmpf(float a, float b);
extern "C" void __sanitizer_cov_trace_cmpd(double a, double b);
extern "C" void __sanitizer_cov_trace_cmpf(float, float) {}
extern "C" void __sanitizer_cov_trace_cmpd(double, double) {}
