import Gateway

/// Called by libFuzzer with one input after the other; `make fuzz` builds and runs it.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    fuzzGateway(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
