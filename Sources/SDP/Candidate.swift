import Base

/// An ICE candidate as an attribute value (RFC 8839 §5.1).
package struct Candidate: Equatable, Sendable {
    package var foundation: [UInt8]
    /// 1 is RTP, 2 is RTCP.
    package var component: UInt16
    /// `udp` or `tcp`, in whatever case it came.
    package var transport: [UInt8]
    package var priority: UInt32
    /// An IP address, or a name: browsers hide their host addresses behind `….local` (mDNS).
    package var address: [UInt8]
    package var port: UInt16
    /// `host`, `srflx`, `prflx`, `relay`, or one not known yet.
    package var type: [UInt8]
    package var relatedAddress: [UInt8]?
    package var relatedPort: UInt16?
    /// `tcptype`, `generation`, `ufrag` and others, names and values in turn.
    package var extensions: [[UInt8]]

    package init(
        foundation: [UInt8], component: UInt16, transport: [UInt8], priority: UInt32, address: [UInt8], port: UInt16,
        type: [UInt8], relatedAddress: [UInt8]? = nil, relatedPort: UInt16? = nil, extensions: [[UInt8]] = []
    ) {
        (self.foundation, self.component, self.transport) = (foundation, component, transport)
        (self.priority, self.address, self.port, self.type) = (priority, address, port, type)
        (self.relatedAddress, self.relatedPort, self.extensions) = (relatedAddress, relatedPort, extensions)
    }

    package init?(parsing value: ArraySlice<UInt8>) {
        let words = value.words
        guard words.count >= 8, words[6].equals("typ"), let component = words[1].number(as: UInt16.self),
            let priority = words[3].number(as: UInt32.self), let port = words[5].number(as: UInt16.self)
        else { return nil }
        (self.component, self.priority, self.port) = (component, priority, port)
        foundation = Array(words[0])
        transport = Array(words[2])
        address = Array(words[4])
        type = Array(words[7])
        extensions = []
        var index = 8
        while index < words.count {
            // Names and values come in pairs; a name left over has no meaning.
            guard index + 1 < words.count else { return nil }
            let text = Array(words[index + 1])
            if words[index].equals("raddr"), relatedAddress == nil {
                relatedAddress = text
            } else if words[index].equals("rport"), relatedPort == nil {
                guard let port = text[...].number(as: UInt16.self) else { return nil }
                relatedPort = port
            } else {
                extensions.append(Array(words[index]))
                extensions.append(text)
            }
            index += 2
        }
    }

    /// The attribute's value, without the name `candidate:`.
    package var bytes: [UInt8] {
        var out = foundation
        out.append(ASCII.space)
        out.appendNumber(component)
        out.appendWord(transport)
        out.append(ASCII.space)
        out.appendNumber(priority)
        out.appendWord(address)
        out.append(ASCII.space)
        out.appendNumber(port)
        out += [UInt8](ascii: " typ ")
        out += type
        if let relatedAddress {
            out += [UInt8](ascii: " raddr ")
            out += relatedAddress
        }
        if let relatedPort {
            out += [UInt8](ascii: " rport ")
            out.appendNumber(relatedPort)
        }
        for word in extensions { out.appendWord(word) }
        return out
    }

    /// The value of a named extension, such as `ufrag` or `generation`.
    package func value(of name: StaticString) -> [UInt8]? {
        var index = 0
        while index + 1 < extensions.count {
            if extensions[index].equals(name) { return extensions[index + 1] }
            index += 2
        }
        return nil
    }
}
