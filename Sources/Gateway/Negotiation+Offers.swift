import SDP

// Making offers: one side's terms, carried as the other side has it.
extension Negotiation {
    /// Whether codecs that only we could make are offered too. Not when a codec that passes through is in use and offered
    /// again: then a repeated offer changes nothing.
    private func allowsTranscoding(_ terms: StreamTerms) -> Bool {
        guard let stream = plan?[terms.kind], !stream.isTranscoded else { return true }
        let passing = stream.fromWeb.first?.codec
        return !terms.mains.contains { $0.codec == passing }
    }

    /// - Returns: the offer, and where each stream stands in it.
    func offerToPhone(
        _ streams: [StreamTerms], _ phone: inout PhoneLeg
    ) throws(GatewayError) -> (SessionDescription, [MediaKind: [Int]]) {
        let writer = PhoneWriter(parameters: phoneParameters)
        var media = phone.slots.map(\.rejectedForPhone)
        var places: [MediaKind: [Int]] = [:]
        for terms in streams {
            guard let socket = phoneParameters.socket(terms.kind) else { continue }
            var ours = terms
            let formats = Translation.offer(terms, to: .phone, allowsTranscoding: allowsTranscoding(terms))
            ours.formats = formats.compactMap { phone.numbering[terms.kind, default: PayloadNumbering()].number($0) }
            guard ours.formats.contains(where: \.codec.isMain) else { continue }
            let isInUse = phone.agreements[terms.kind] != nil
            for carriage in phone.carriages(terms.kind, socket: socket, parameters: phoneParameters) {
                var offered = ours
                setFeedback(&offered, carriage, inUse: isInUse)
                let line = writer.line(offered, socket, carriage, hasMux: phoneParameters.offersMux)
                // The second line for the same stream goes behind the others.
                let isFirst = places[terms.kind] == nil
                let place = isFirst ? phone.slots.place(for: terms.kind, before: phone.places[terms.kind]) : nil
                guard place != nil || media.count < SDPLimits.standard.maximumMedia else { continue }
                if let place { media[place] = line } else { media.append(line) }
                places[terms.kind, default: []].append(place ?? media.count - 1)
            }
        }
        guard !places.isEmpty else { throw .noSharedCodec }
        return (phone.outbox.publish(session: writer.session, media: media), places)
    }

    /// Under AVPF what we were told to offer; in a later offer on a phone's own AVPF line what the phone knows.
    private func setFeedback(_ terms: inout StreamTerms, _ carriage: PhoneCarriage, inUse: Bool) {
        let known = inUse ? plan?[terms.kind]?.phone.end.feedback ?? [] : []
        let feedback =
            terms.kind == .video && carriage.profile.hasFeedback
            ? phoneParameters.offeredFeedback.union(known.intersection(.forPhones)) : []
        for index in terms.formats.indices { terms.formats[index].feedback = feedback }
    }

    /// - Returns: the offer, and where each stream stands in it.
    func offerToBrowser(
        _ streams: [StreamTerms], _ web: inout WebLeg
    ) throws(GatewayError) -> (SessionDescription, [MediaKind: Int]) {
        let writer = WebWriter(parameters: webParameters, credentials: web.credentials, setup: .activeOrPassive)
        let identifiers = web.identifiersForOffer(webParameters.extensions)
        var media = web.slots.map(\.rejected)
        var bundle: [(index: Int, mid: [UInt8])] = []
        var places: [MediaKind: Int] = [:]
        for terms in streams {
            var ours = terms
            let formats = Translation.offer(terms, to: .web, allowsTranscoding: allowsTranscoding(terms))
            ours.formats = formats.compactMap { web.numbering.number($0) }
            guard ours.formats.contains(where: \.codec.isMain) else { continue }
            for index in ours.formats.indices {
                ours.formats[index].feedback = webParameters.feedback(for: ours.formats[index])
            }
            let (place, mid) = web.placeForOffer(terms.kind, among: media.count)
            let line = writer.line(
                WebWriter.LineTerms(
                    terms: ours, mid: mid, extensions: identifiers, hasReducedSize: webParameters.takesReducedSize))
            guard place < SDPLimits.standard.maximumMedia else { continue }
            if place < media.count { media[place] = line } else { media.append(line) }
            bundle.append((place, mid))
            places[terms.kind] = place
        }
        guard !places.isEmpty else { throw .noSharedCodec }
        let mids = bundle.sorted { $0.index < $1.index }.map(\.mid)
        return (web.outbox.publish(session: writer.session(bundle: mids), media: media), places)
    }
}

extension Feedback {
    /// What phones are known to understand.
    static let forPhones: Feedback = [.nack, .pictureLoss, .fullIntraRequest, .temporaryBitrate]
}

extension WebParameters {
    /// The feedback that we can give or take for a format.
    func feedback(for format: MediaFormat) -> Feedback {
        guard format.codec.isMain else { return [] }
        // Sound is never sent again: it would come too late.
        return format.codec.kind == .video ? feedback : feedback.intersection(.transportWide)
    }
}
