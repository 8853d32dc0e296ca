import SIP

/// The lines this phone writes, each kind once: as generic calls that are inlined where they stand they were a tenth of the
/// browser's code.
extension MessageBuilder {
    @inline(never)
    mutating func add(_ name: HeaderName, _ value: NameAddress) { add(name, value.text[...]) }

    @inline(never)
    mutating func add(_ name: HeaderName, bytes value: [UInt8]) { add(name, value[...]) }

    @inline(never)
    mutating func add(_ name: HeaderName, _ value: SessionExpires) { add(name, value.text[...]) }

    @inline(never)
    mutating func add(_ name: HeaderName, _ value: EventHeader) { add(name, value.text[...]) }
}
