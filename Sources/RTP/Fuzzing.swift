import Base

/// Drives everything that reads a peer's datagrams and payloads: for the fuzzer and the tests of damage.
///
/// What can be written again must read as the same value; bounds are checked by the spans themselves.
package func fuzzRTP(_ bytes: [UInt8]) {
    var packet = bytes
    fuzzHeader(&packet)
    for allowsReducedSize in [false, true] { fuzzRTCP(bytes, allowsReducedSize: allowsReducedSize) }
    let span = bytes.span.bytes
    _ = DatagramKind(of: span)
    if let event = try? TelephoneEvent(parsing: span) {
        var copy = [UInt8](repeating: 0, count: TelephoneEvent.count)
        var target = copy.mutableSpan
        var raw = target.mutableBytes
        event.write(into: &raw, at: 0)
        precondition((try? TelephoneEvent(parsing: raw.bytes)) == event, "an event changed when written and read")
    }
    _ = (try? ComfortNoise(parsing: span))?.peak
    _ = try? VP8Descriptor(parsing: span)
    if let payload = try? H264Payload(parsing: span) {
        var sets = H264ParameterSets()
        _ = sets.observe(payload, in: span, timestamp: RTPTimestamp(0))
    }
}

private func fuzzHeader(_ bytes: inout [UInt8]) {
    let original = bytes
    let whole = bytes.count
    var span = bytes.mutableSpan
    var packet = span.mutableBytes
    guard var header = try? RTPHeader(parsing: packet.bytes) else { return }
    precondition(header.packetCount == whole, "the parts are not the whole")
    header.write(into: &packet)
    precondition((try? RTPHeader(parsing: packet.bytes)) == header, "a header changed when written and read")
    for index in 0..<whole { precondition(packet.uint8(at: index) == original[index], "a byte changed") }
    for index in 0..<header.contributorCount { _ = header.contributor(index, in: packet.bytes) }
    var map = HeaderExtensionMap()
    for id in 1...7 { map.set(UInt8(id), to: UInt8(8 - id)) }
    map.apply(to: &packet, header: header)
    var reader = HeaderExtensionReader(header)
    while let element = reader.next(in: packet.bytes) {
        precondition(element.data.upperBound <= header.payloadOffset, "an element leaves the extension")
    }
    header.removePadding(from: &packet)
    let start = header.removeExtension(from: &packet)
    let rest = packet.bytes.extracting(start..<start + header.packetCount)
    precondition((try? RTPHeader(parsing: rest)) == header, "a stripped header reads differently")
}

private func fuzzRTCP(_ bytes: [UInt8], allowsReducedSize: Bool) {
    let datagram = bytes.span.bytes
    guard var reader = try? RTCPReader(datagram, allowsReducedSize: allowsReducedSize) else { return }
    var random = RandomSource(seed: 1)
    let clock = NTPClock(origin: NTPTimestamp(0), at: .zero)
    let schedule = ReportSchedule(random: RandomSource(seed: random.next()), at: .zero)
    var reporter = RTCPReporter(
        ssrc: SSRC(0x0102_0304), canonicalName: [0x61], clockRate: 8000, clock: clock, schedule: schedule, at: .zero)
    var translator = FeedbackTranslator(media: SSRC(0x0102_0304), method: .pictureLoss, limitsBitrate: true)
    var packets = 0
    while let packet = reader.next(in: datagram) {
        packets += 1
        precondition(packets <= RTCPReader.maximumPackets, "a compound has more packets than allowed")
        let now = Instant.zero + .milliseconds(packets * 100)
        reporter.receive(packet, in: datagram, at: now)
        if case .retransmit(let entries) = translator.receive(packet, in: datagram, at: now) {
            for index in 0..<entries.count {
                var position = 0
                while entries.entry(index, in: datagram).next(&position) != nil {
                    _ = translator.mayRetransmit(at: now)
                }
            }
        }
        walk(packet, in: datagram)
    }
}

private func walk(_ packet: RTCPPacket, in datagram: RawSpan) {
    switch packet {
    case .sourceDescription(var description):
        while let item = description.next(in: datagram) {
            precondition(item.text.upperBound <= datagram.byteCount, "an item leaves the datagram")
        }
    case .goodbye(let sources): for index in 0..<sources.count { _ = sources.entry(index, in: datagram) }
    case .sliceLoss(_, let list): for index in 0..<list.count { _ = list.entry(index, in: datagram) }
    case .bitrateNotification(_, let list): for index in 0..<list.count { _ = list.entry(index, in: datagram) }
    case .transportFeedback(let feedback):
        let received = feedback.received(in: datagram) ?? 0
        precondition(received <= feedback.statusCount, "more packets arrived than were told of")
    default: break
    }
}
