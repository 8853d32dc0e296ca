import Base

/// A SIP method; compared with case, as RFC 3261 §7.1 says of tokens in the request line.
package enum SIPMethod: Hashable, Sendable {
    case invite, ack, bye, cancel, register, options, info, update, prack, message, subscribe, notify, publish, refer
    case other([UInt8])

    /// The methods this program knows, in the order an Allow header lists them.
    package static var known: [SIPMethod] {
        [
            .invite, .ack, .bye, .cancel, .register, .options, .info, .update, .prack, .message, .subscribe, .notify,
            .publish, .refer,
        ]
    }

    package init(_ token: some Collection<UInt8>) {
        for method in Self.candidates(length: token.count) where method.matches(token) {
            self = method
            return
        }
        self = .other(Array(token))
    }

    package var name: [UInt8] {
        if case .other(let token) = self { return token }
        return [UInt8](ascii: literal)
    }

    /// Appends the method's name.
    package func serialize(into out: inout [UInt8]) {
        if case .other(let token) = self { out += token } else { out.append(literal) }
    }

    private func matches(_ token: some Collection<UInt8>) -> Bool {
        let name = literal
        return name.withUTF8Buffer { $0.elementsEqual(token) }
    }

    private static func candidates(length: Int) -> ArraySlice<SIPMethod> {
        switch length {
        case 3: byLength[0..<2]
        case 4: byLength[2..<3]
        case 5: byLength[3..<5]
        case 6: byLength[5..<9]
        case 7: byLength[9..<12]
        case 8: byLength[12..<13]
        case 9: byLength[13..<14]
        default: []
        }
    }

    private static let byLength: [SIPMethod] = [
        .ack, .bye, .info, .prack, .refer, .invite, .cancel, .update, .notify, .options, .message, .publish, .register,
        .subscribe,
    ]

    private var literal: StaticString {
        switch self {
        case .invite: "INVITE"
        case .ack: "ACK"
        case .bye: "BYE"
        case .cancel: "CANCEL"
        case .register: "REGISTER"
        case .options: "OPTIONS"
        case .info: "INFO"
        case .update: "UPDATE"
        case .prack: "PRACK"
        case .message: "MESSAGE"
        case .subscribe: "SUBSCRIBE"
        case .notify: "NOTIFY"
        case .publish: "PUBLISH"
        case .refer: "REFER"
        case .other: ""
        }
    }
}

extension [UInt8] {
    /// Appends the bytes of a literal.
    @inline(__always)
    package mutating func append(_ literal: StaticString) {
        literal.withUTF8Buffer { append(contentsOf: $0) }
    }
}
