import Base

// What the fuzz targets call: each takes any bytes, reads everything that can be read from them and writes it again.
// Nothing may trap, and what was written must read the same.

/// A whole message: every accessor, the refusal, an edit, and the message written again.
package func fuzzSIPMessage(_ bytes: [UInt8]) {
    do throws(SIPParseError) {
        let message = try SIPMessage(parsing: bytes)
        touchEverything(in: message)
        do throws(SIPParseError) { try message.validate() } catch { _ = SIPMessage.refusal(of: bytes, because: error) }
        let again = rewritten(message)
        do throws(SIPParseError) {
            let parsed = try SIPMessage(parsing: again.bytes, limits: .unlimited)
            precondition(parsed.lines == again.lines, "the edit's index is not what parsing finds")
            precondition(parsed.body.elementsEqual(message.body), "the edit changed the body")
        } catch { preconditionFailure("an edited message does not parse") }
    } catch { _ = SIPMessage.refusal(of: bytes, because: error) }
}

/// A stream, cut into pieces whose size the first byte gives.
package func fuzzStreamFramer(_ bytes: [UInt8]) {
    var framer = StreamFramer()
    let step = Int(bytes.first ?? 0) + 1
    var index = bytes.startIndex
    do throws(SIPParseError) {
        while index < bytes.endIndex {
            let end = min(index + step, bytes.endIndex)
            framer.receive(bytes[index..<end])
            while let element = try framer.next() {
                if case .message(let message) = element { touchEverything(in: message) }
            }
            index = end
        }
    } catch {
        do throws(SIPParseError) {
            _ = try framer.next()
            preconditionFailure("a framer recovered from an error")
        } catch { return }
    }
}

/// A URI: read, written, and equal to itself.
package func fuzzSIPURI(_ bytes: [UInt8]) {
    do throws(SIPParseError) {
        let uri = try SIPURI(parsing: bytes)
        touch(uri)
        let again = try SIPURI(parsing: uri.text)
        precondition(again == uri && again.text == uri.text, "a URI did not survive being written")
    } catch { return }
}

/// One value of every authentication header, and the answer of client and server to it.
package func fuzzDigestHeader(_ bytes: [UInt8]) {
    do throws(SIPParseError) {
        if let challenge = try DigestChallenge(parsing: bytes[...]) {
            precondition(reads(challenge), "a challenge did not survive being written")
        }
    } catch {}
    do throws(SIPParseError) {
        guard let credentials = try DigestCredentials(parsing: bytes[...]) else { return }
        var random = RandomSource(seed: 1)
        var server = DigestServer(
            configuration: .init(realm: credentials.realm), secret: random.bytes(count: 16), random: &random)
        let ha1 = DigestHA1(user: credentials.userName, realm: credentials.realm, password: [0x78])
        _ = server.verify(credentials, method: .invite, body: [], ha1s: [ha1], at: .zero)
    } catch { return }
}

private func reads(_ challenge: DigestChallenge) -> Bool {
    guard !challenge.algorithmToken.isEmpty else { return true }
    do throws(SIPParseError) { return try DigestChallenge(parsing: challenge.text[...]) != nil } catch { return false }
}

// MARK: - Reading everything

/// Ignores what throws: the values do not matter, only that each is a value or a typed error.
private func touch(_ read: () throws(SIPParseError) -> Void) {
    do throws(SIPParseError) { try read() } catch { return }
}

private func touch(_ uri: SIPURI) {
    _ = (uri.plainUser, uri.transport, uri.isLooseRouter, uri.gruu, uri.addressOfRecord == uri, uri.asRequestURI.text)
}

private func touch(_ address: NameAddress) {
    touch(address.uri)
    _ = (address.tag, address.q, address.expires, address.instanceID, address.regID, address.publicGRUU)
    _ = (address.temporaryGRUU, address.usesOutbound, address.parameters.pairs.count)
    touch { () throws(SIPParseError) in
        let again = try NameAddress(parsing: address.text[...])
        precondition(again == address, "an address did not survive being written")
    }
}

private func touchEverything(in message: SIPMessage) {
    touchRouting(in: message)
    touchUsages(in: message)
    _ = (message.headers.count, message.contentType, message.cseqMethod, message.reason.count, message.body.count)
    _ = (message.supported, message.require, message.proxyRequire, message.unsupported, message.allow)
    _ = (message.allowEvents, message.receivableInfoPackages, message.entityTag, message.ifMatch, message.callID)
    _ = (message.userAgent, message.subject, message.reasons(), message.fromTag, message.toTag)
    touch { () throws(SIPParseError) in touch(try message.requestURI) }
}

private func touchRouting(in message: SIPMessage) {
    touch { () throws(SIPParseError) in
        for via in try message.vias() {
            _ = (via.branch, via.received, via.rport, via.maddr, via.hasAlias, via.hasKeep, via.effectivePort)
            let again = try Via(parsing: via.text[...])
            precondition(again == via, "a Via did not survive being written")
        }
    }
    touch { () throws(SIPParseError) in _ = try message.topVia() }
    touch { () throws(SIPParseError) in touch(try message.from()) }
    touch { () throws(SIPParseError) in touch(try message.to()) }
    touch { () throws(SIPParseError) in for contact in try message.contacts() { touch(contact) } }
    touch { () throws(SIPParseError) in for route in try message.routes() { touch(route) } }
    touch { () throws(SIPParseError) in for route in try message.recordRoutes() { touch(route) } }
    touch { () throws(SIPParseError) in for route in try message.paths() { touch(route) } }
    touch { () throws(SIPParseError) in for route in try message.serviceRoutes() { touch(route) } }
    touch { () throws(SIPParseError) in _ = try message.topRoute() }
    touch { () throws(SIPParseError) in _ = (try message.maxForwards(), try message.cseq()) }
}

private func touchUsages(in message: SIPMessage) {
    touch { () throws(SIPParseError) in _ = (try message.event(), try message.subscriptionState()) }
    touch { () throws(SIPParseError) in _ = (try message.rack(), try message.rseq()) }
    touch { () throws(SIPParseError) in _ = (try message.replaces(), try message.targetDialog()) }
    touch { () throws(SIPParseError) in _ = (try message.referTo(), try message.referredBy()) }
    touch { () throws(SIPParseError) in _ = (try message.sessionExpires(), try message.minSE()) }
    touch { () throws(SIPParseError) in _ = (try message.infoPackage(), try message.contentDisposition()) }
    touch { () throws(SIPParseError) in _ = (try message.accepts(), try message.mediaType()) }
    touch { () throws(SIPParseError) in _ = (try message.expires(), try message.minExpires(), try message.flowTimer()) }
    touch { () throws(SIPParseError) in _ = (try message.retryAfter(), try message.date()) }
    touch { () throws(SIPParseError) in _ = try message.warnings().map { $0.text } }
    touch { () throws(SIPParseError) in _ = (try message.authorizations(), try message.challenges()) }
}

/// The message with a Via more, as a proxy forwards it, and with a few other changes.
private func rewritten(_ message: SIPMessage) -> SIPMessage {
    var edit = MessageEdit(message)
    let via = Via(transport: .udp, host: .address(.loopback), branch: [UInt8](ascii: "z9hG4bKfuzz"))
    edit.insert(.via, via)
    edit.removeFirst(.route)
    edit.set(.maxForwards, number: 69)
    edit.replaceFirst(.via, with: via)
    edit.append(.organization, message.callID)
    edit.remove(.organization)
    if message.isRequest { edit.setRequestURI(text: message.requestURIText) }
    edit.setBody(Array(message.body))
    return edit.finish()
}
