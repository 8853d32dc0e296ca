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
        self = token.withContiguousStorageIfAvailable { Self(bytes: $0) } ?? Self(Array(token))
    }

    package init(_ token: ArraySlice<UInt8>) { self = token.withUnsafeBufferPointer { Self(bytes: $0) } }

    private init(bytes: UnsafeBufferPointer<UInt8>) {
        let code = Code(bytes)
        self = code == .other ? .other(Array(bytes)) : SIPMethod(code)
    }

    package var name: [UInt8] {
        if case .other(let token) = self { return token }
        return [UInt8](ascii: code.literal)
    }

    /// Appends the method's name.
    package func serialize(into out: inout [UInt8]) {
        if case .other(let token) = self { out += token } else { out.append(code.literal) }
    }

    package static func == (left: SIPMethod, right: SIPMethod) -> Bool {
        guard left.code == right.code else { return false }
        guard case .other(let one) = left, case .other(let other) = right else { return true }
        return one == other
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(code.rawValue)
        if case .other(let token) = self { hasher.combine(token) }
    }
}

// MARK: - Codes

extension SIPMethod {
    /// A known method as one byte, for places that must not hold references: a message's first line.
    enum Code: UInt8, Sendable {
        case other, invite, ack, bye, cancel, register, options, info, update, prack, message, subscribe, notify,
            publish, refer

        /// Finds a method by length and last byte, which no two share, and one comparison.
        init(_ name: UnsafeBufferPointer<UInt8>) {
            let code: Code =
                switch (name.count, name.last) {
                case (3, 0x4b): .ack
                case (3, _): .bye
                case (4, _): .info
                case (5, 0x4b): .prack
                case (5, _): .refer
                case (6, 0x45) where name[0] == 0x49: .invite
                case (6, 0x45): .update
                case (6, 0x4c): .cancel
                case (6, _): .notify
                case (7, 0x53): .options
                case (7, 0x45): .message
                case (7, _): .publish
                case (8, _): .register
                case (9, _): .subscribe
                default: .other
                }
            let literal = code.literal
            var equal = literal.utf8CodeUnitCount == name.count && code != .other
            for index in 0..<(equal ? name.count : 0) where literal.utf8Start[index] != name[index] { equal = false }
            self = equal ? code : .other
        }

        /// As RFC 3261 and its extensions write it; empty of `other`.
        var literal: StaticString {
            switch self {
            case .other: ""
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
            }
        }
    }

    var code: Code {
        switch self {
        case .invite: .invite
        case .ack: .ack
        case .bye: .bye
        case .cancel: .cancel
        case .register: .register
        case .options: .options
        case .info: .info
        case .update: .update
        case .prack: .prack
        case .message: .message
        case .subscribe: .subscribe
        case .notify: .notify
        case .publish: .publish
        case .refer: .refer
        case .other: .other
        }
    }

    /// The method of a code; without a name when that is `other`.
    init(_ code: Code) {
        switch code {
        case .invite: self = .invite
        case .ack: self = .ack
        case .bye: self = .bye
        case .cancel: self = .cancel
        case .register: self = .register
        case .options: self = .options
        case .info: self = .info
        case .update: self = .update
        case .prack: self = .prack
        case .message: self = .message
        case .subscribe: self = .subscribe
        case .notify: self = .notify
        case .publish: self = .publish
        case .refer: self = .refer
        case .other: self = .other([])
        }
    }
}

extension [UInt8] {
    /// Appends a part of other bytes; a slice of them would count a reference.
    mutating func append(copying bytes: borrowing [UInt8], _ part: Range<Int>) {
        bytes.withUnsafeBufferPointer { append(contentsOf: UnsafeBufferPointer(rebasing: $0[part])) }
    }

    /// Appends the bytes of a literal.
    @inline(never)
    package mutating func append(_ literal: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }
}
