/// The nearest sample: halves go away from zero, what is too loud is cut.
///
/// Written out because `rounded()` calls the C library's mathematics, which a pure target does not link.
@inline(__always) func nearestSample(_ value: Float) -> Int16 {
    Int16(max(-32_768, min(32_767, value + (value < 0 ? -0.5 : 0.5))))
}
