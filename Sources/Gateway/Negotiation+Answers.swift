import RTP
import SDP

// Making answers: what the other side has answered, in terms of the offer that is open on this side.
extension Negotiation {
    // MARK: For a browser

    /// Settles a browser's offer by the phone's answer.
    mutating func answerBrowser(
        _ description: SessionDescription, _ exchange: BrowserExchange
    ) throws(GatewayError) -> SessionDescription {
        try Self.check(description, answers: exchange.sent, mayBeShort: true)
        var (web, phone) = (exchange.web, exchange.phone)
        let answered = try phoneStreams(description, exchange)
        phone.take(answer: description, answered)
        try web.accept(offerOf: exchange.reading.peer)
        let streams = exchange.reading.lines.compactMap { line in join(line, answered) }
        guard let role = web.role, !streams.isEmpty || plan != nil else { throw .noSharedCodec }
        let answer = writeAnswer(exchange, streams, role, &web)
        web.slots = [Slot](offer: exchange.offer, answer: answer)
        phone.slots = [Slot](offer: exchange.sent, answer: description)
        commit(web, phone, streams)
        return answer
    }

    /// A browser's offered line and the phone's answer to it; nil when they have nothing in common.
    private func join(_ line: WebLine, _ answered: [PhoneEnd]) -> JoinedStream? {
        guard let phone = answered.first(where: { $0.line.terms.kind == line.terms.kind }),
            let formats = Translation.answer(to: line.terms, from: phone.line.terms)
        else { return nil }
        var ours = phone.line.terms
        ours.direction = line.terms.direction.answer(wanting: phone.line.terms.direction)
        ours.formats = formats.map { $0.keepingFeedback(webParameters.feedback(for: $0)) }
        return JoinedStream(web: WebEnd(line: line, ours: ours), phone: phone)
    }

    private func writeAnswer(
        _ exchange: BrowserExchange, _ streams: [JoinedStream], _ role: DTLSRole, _ web: inout WebLeg
    ) -> SessionDescription {
        let writer = WebWriter(parameters: webParameters, credentials: web.credentials, setup: role.setup)
        var media = exchange.offer.media.map { Slot($0, isLive: false).rejected }
        for stream in streams {
            let line = stream.web.line
            media[line.index] = writer.line(
                WebWriter.LineTerms(
                    terms: stream.web.ours, mid: line.mid, extensions: webParameters.known(line.extensions),
                    hasReducedSize: line.takesReducedSize && webParameters.takesReducedSize,
                    transport: exchange.offer.media[line.index].transport))
        }
        let mids = media.filter { !$0.isRejected }.compactMap { line in line.mid.map { Array($0) } }
        return web.outbox.publish(
            session: writer.session(bundle: exchange.reading.isBundled ? mids : nil), media: media)
    }

    // MARK: For a phone

    /// Settles a phone's offer by the browser's answer.
    mutating func answerPhone(
        _ description: SessionDescription, _ exchange: PhoneExchange
    ) throws(GatewayError) -> SessionDescription {
        try Self.check(description, answers: exchange.sent, mayBeShort: false)
        var (web, phone) = (exchange.web, exchange.phone)
        let reading = try webStreams(description, exchange)
        web.places = exchange.places
        if let reading { web.take(answer: description, reading) }
        var answers: [PhoneAnswer] = []
        for line in exchange.lines {
            guard let answer = try join(line, reading?[line.terms.kind], exchange) else { continue }
            answers.append(answer)
        }
        guard !answers.isEmpty || plan != nil else { throw .noSharedCodec }
        for answer in answers { phone.agreements[answer.stream.kind] = answer.stream.phone.agreement }
        let written = writeAnswer(exchange, answers, &phone)
        phone.slots = [Slot](offer: exchange.offer, answer: written)
        web.slots = [Slot](offer: exchange.sent, answer: description)
        commit(web, phone, answers.map(\.stream))
        return written
    }

    /// One live line of an answer for a phone.
    private struct PhoneAnswer {
        var stream: JoinedStream
        var socket: PhoneSocket
        var carriage: PhoneCarriage
    }

    /// A phone's offered line and the browser's answer to it; nil when they have nothing in common.
    private func join(
        _ line: PhoneLine, _ other: WebLine?, _ exchange: PhoneExchange
    ) throws(GatewayError) -> PhoneAnswer? {
        let kind = line.terms.kind
        guard let other, let socket = phoneParameters.socket(kind),
            let formats = Translation.answer(to: line.terms, from: other.terms),
            let sent = StreamTerms(exchange.sent, line: other.index)
        else { return nil }
        let (agreement, carriage) = try exchange.phone.answer(line, socket: socket, parameters: phoneParameters)
        var ours = other.terms
        ours.direction = line.terms.direction.answer(wanting: other.terms.direction)
        ours.formats = formats.map { $0.keepingFeedback(kind == .video ? .forPhones : []) }
        let phone = PhoneEnd(line: line, ours: ours, agreement: agreement, isMuxed: line.hasMux)
        let stream = JoinedStream(web: WebEnd(line: other, ours: sent), phone: phone)
        return PhoneAnswer(stream: stream, socket: socket, carriage: carriage)
    }

    private func writeAnswer(
        _ exchange: PhoneExchange, _ answers: [PhoneAnswer], _ phone: inout PhoneLeg
    ) -> SessionDescription {
        let writer = PhoneWriter(parameters: phoneParameters)
        var media = exchange.offer.media.map { Slot($0, isLive: false).rejectedForPhone }
        for answer in answers {
            let end = answer.stream.phone
            media[end.line.index] = writer.line(end.ours, answer.socket, answer.carriage, hasMux: end.isMuxed)
        }
        return phone.outbox.publish(session: writer.session, media: media)
    }

    // MARK: What is agreed on

    private mutating func commit(_ web: WebLeg, _ phone: PhoneLeg, _ streams: [JoinedStream]) {
        (self.web, self.phone) = (web, phone)
        self.web.nextCredentials = nil
        guard let peer = web.peer, let role = web.role else { return }
        let plans = streams.map { $0.plan(web: webParameters, phone: phoneParameters) }
        plan = MediaPlan(
            transport: WebTransport(
                credentials: web.credentials, peer: peer, isControlling: web.isControlling ?? false, role: role),
            audio: plans.first { $0.kind == .audio }, video: plans.first { $0.kind == .video })
    }
}
