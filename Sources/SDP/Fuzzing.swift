/// Drives everything that reads a peer's bytes: for the fuzzer and the tests of damage.
///
/// What was read must be written and read again as the same value.
package func fuzzSDP(_ bytes: [UInt8]) {
    _ = MediaProfile.classify(bytes[...])
    // Bare line feeds become CRLF, so what was just within the limit may grow.
    var roomy = SDPLimits()
    roomy.maximumBytes *= 2
    if let fragment = try? TrickleFragment(parsing: bytes) {
        let again = try? TrickleFragment(parsing: fragment.bytes, limits: roomy)
        precondition(again == fragment, "a fragment changed when written and read")
        // Compared, not discarded: optimised, Swift 6.3.1 frees an array that nobody reads before it fills it.
        for index in fragment.media.indices {
            precondition(fragment.credentials(of: index) == again?.credentials(of: index), "credentials changed")
        }
    }
    guard let parsed = try? SessionDescription(parsing: bytes) else { return }
    let again = try? SessionDescription(parsing: parsed.bytes, limits: roomy)
    precondition(again == parsed, "a description changed when written and read")
    _ = (parsed.isHold, parsed.profile, parsed.bundleGroups, parsed.supportsTrickle)
    for index in parsed.media.indices {
        let media = parsed.media[index]
        for candidate in media.candidates {
            precondition(Candidate(parsing: candidate.bytes[...]) == candidate, "a candidate changed")
        }
        for map in media.payloads {
            precondition(RTPMap(parsing: map.bytes[...]) == map, "a codec changed")
            _ = media.formatParameters(of: map.payloadType)
        }
        for fingerprint in parsed.fingerprints(of: index) {
            precondition(Fingerprint(parsing: fingerprint.bytes[...]) == fingerprint, "a fingerprint changed")
        }
        precondition(parsed.iceCredentials(of: index) == again?.iceCredentials(of: index), "credentials changed")
        _ = (media.synchronizationSources, parsed.setup(of: index))
    }
    var held = parsed
    held.setDirection(.inactive)
    for index in held.media.indices where held.direction(of: index) != .inactive {
        preconditionFailure("a direction was not set")
    }
    var exchange = OfferAnswer()
    try? exchange.receiveOffer(parsed)
    try? exchange.sendAnswer(parsed)
    precondition(exchange.isStable && exchange.local == parsed, "a description does not answer itself")
}
