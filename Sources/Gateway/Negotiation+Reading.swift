import SDP

// Reading answers to our offers.
extension Negotiation {
    /// The streams a phone has accepted.
    ///
    /// One may fail without the other; a dialog that had streams may also end all of them.
    func phoneStreams(
        _ description: SessionDescription, _ exchange: BrowserExchange
    ) throws(GatewayError) -> [PhoneEnd] {
        var found: [PhoneEnd] = []
        var failure = GatewayError.noMedia
        for kind in MediaKind.allCases {
            for index in exchange.places[kind] ?? [] where description.media.indices.contains(index) {
                do throws(GatewayError) {
                    let offered = try PhoneLine(exchange.sent, line: index)
                    found.append(try PhoneEnd(answer: try PhoneLine(description, line: index), to: offered))
                    break
                } catch {
                    if error != .noMedia { failure = error }
                }
            }
        }
        guard !found.isEmpty || failure == .noMedia && plan != nil else { throw failure }
        return found
    }

    /// What a browser has accepted.
    ///
    /// - Returns: nil when it has refused all streams of a dialog that had some.
    func webStreams(
        _ description: SessionDescription, _ exchange: PhoneExchange
    ) throws(GatewayError) -> WebReading? {
        do throws(GatewayError) {
            var reading = try WebReading(description, before: exchange.places)
            reading.lines = reading.lines.compactMap { line in
                guard exchange.places[line.terms.kind] == line.index,
                    let offered = StreamTerms(exchange.sent, line: line.index)
                else { return nil }
                var copy = line
                return (try? copy.terms.keep(whatMatches: offered)) == nil ? nil : copy
            }
            return reading
        } catch {
            guard error == .noMedia, plan != nil else { throw error }
            return nil
        }
    }

    /// - Parameter mayBeShort: old phones leave out the lines they refuse at the end; a missing line is a refused one.
    static func check(
        _ answer: SessionDescription, answers offer: SessionDescription, mayBeShort: Bool
    ) throws(GatewayError) {
        guard answer.media.count == offer.media.count || mayBeShort && answer.media.count < offer.media.count else {
            throw .streamsDiffer
        }
        for index in answer.media.indices where answer.media[index].kind != offer.media[index].kind {
            throw .streamsDiffer
        }
    }
}
