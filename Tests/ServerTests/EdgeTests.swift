import Accounts
import Base
import Foundation
import SocketIO
import Testing

@testable import Server

/// What strangers, scanners and broken devices do to the ports, on a real server on loopback.
@Suite(.serialized) struct EdgeTests {
    /// A loaded machine may take far longer than a short limit; what drips goes on for longer than this, and no limit
    /// for people closes what these tests open so soon.
    private static let inTime = Duration.seconds(9)

    private func request(_ text: String) -> [UInt8] { Array(text.replacingOccurrences(of: "\n", with: "\r\n").utf8) }

    @Test func `starts with a link for the owner and one ready line, and serves the page on localhost`() async throws {
        let house = try await TestHouse.open()
        let port = try #require(house.settings.httpPort)
        #expect(house.announced.count == 2)
        #expect(house.announced[0].contains("http://localhost:\(port)/join/"))
        #expect(house.announced[1].hasPrefix("hearth: ready "))
        let page = await Peer.talk(port, [request("GET / HTTP/1.1\nHost: localhost:\(port)\nConnection: close\n\n")])
        #expect(page.text.hasPrefix("HTTP/1.1 200") && page.text.hasSuffix("<p>page"))
        let health = await Peer.talk(
            port, [request("GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n")])
        #expect(health.text.hasSuffix("ok\n"))
        let metrics = await Peer.talk(
            port, [request("GET /metrics HTTP/1.1\nHost: localhost\nConnection: close\n\n")])
        #expect(metrics.text.contains("\nhearth_bindings 0\n"))
        #expect(metrics.text.contains("process_resident_memory_bytes"))
        #expect(metrics.text.contains("hearth_sip_request_seconds_bucket{method=\"invite\",le=\"0.005\"} 0\n"))
        await house.close()
    }

    @Test func `sends other hosts to the secure port`() async throws {
        let house = try await TestHouse.open()
        let answer = await Peer.talk(
            house.settings.httpPort, [request("GET /people?x=1 HTTP/1.1\nHost: home.example:80\n\n")],
            until: "\r\n\r\n")
        #expect(answer.text.hasPrefix("HTTP/1.1 308"))
        let port = try #require(house.settings.httpsPort)
        #expect(answer.text.contains("https://home.example:\(port)/people?x=1\r\n"))
        let bad = await Peer.talk(
            house.settings.httpPort, [request("GET / HTTP/1.1\nHost: evil.example/@x\n\n")], until: "\r\n\r\n")
        #expect(bad.text.hasPrefix("HTTP/1.1 400"))
        await house.close()
    }

    // MARK: - Slowness

    @Test func `closes slow headers, half-open TLS and silent WebSockets in time`() async throws {
        let house = try await TestHouse.open(
            short: [\.handshakeTime, \.headerTime, \.messageTime, \.introductionTime])
        let (http, https) = (house.settings.httpPort, house.settings.httpsPort)
        let sips = house.settings.sipsPort
        // These drip on for longer than they may, and never pause for as long as an idle connection may.
        let drips = [[UInt8]](repeating: [0x61], count: 200)
        async let silent = Peer.talk(http, [])
        async let trickle = Peer.talk(
            http, [Array("GET / HTTP/1.1\r\nX-Slow: ".utf8)] + drips, pause: .milliseconds(100))
        async let body = Peer.talk(
            http,
            [
                request(
                    "POST /api/session HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
                        + "Content-Length: 1000\n\n{")
            ] + drips, pause: .milliseconds(100))
        async let handshake = Peer.talk(https, [])
        async let halfHello = Peer.talk(sips, [[0x16, 0x03, 0x01]])
        async let webSocket = Peer.talk(http, [Peer.handshake(port: http)])
        #expect(try #require(await silent.closedAfter) < Self.inTime)
        #expect(try #require(await trickle.closedAfter) < Self.inTime)
        #expect(try #require(await body.closedAfter) < Self.inTime)
        #expect(try #require(await handshake.closedAfter) < Self.inTime)
        #expect(try #require(await halfHello.closedAfter) < Self.inTime)
        let end = await webSocket
        #expect(end.text.hasPrefix("HTTP/1.1 101"))
        #expect(end.text.contains("no request was accepted in time"))
        #expect(try #require(end.closedAfter) < Self.inTime)
        await house.close()
    }

    @Test func `closes SIP messages that never end`() async throws {
        let house = try await TestHouse.open(short: [\.messageTime])
        let half = Array(Peer.register("anna", via: "TCP").dropLast(30))
        let end = await Peer.talk(house.settings.sipPort, [half])
        #expect(try #require(end.closedAfter) < Self.inTime)
        await house.close()
    }

    @Test func `questions anybody may ask do not keep a connection open`() async throws {
        let house = try await TestHouse.open(short: [\.introductionTime])
        let options = String(decoding: Peer.register("anna", via: "TCP"), as: UTF8.self)
            .replacingOccurrences(of: "REGISTER", with: "OPTIONS")
        let end = await Peer.talk(house.settings.sipPort, [Array(options.utf8)])
        #expect(end.text.hasPrefix("SIP/2.0 200 "))
        #expect(try #require(end.closedAfter) < Self.inTime)
        await house.close()
    }

    // MARK: - Size and nonsense

    @Test func `answers REGISTER with a challenge on every transport`() async throws {
        let house = try await TestHouse.open()
        let (http, sip) = (house.settings.httpPort, house.settings.sipPort)
        let tcp = await Peer.talk(sip, [Peer.register("anna", via: "TCP")], until: "SIP/2.0 401 ")
        #expect(tcp.text.hasPrefix("SIP/2.0 401 "))
        let webSocket = await Peer.talk(
            http, [Peer.handshake(port: http), Peer.frame(0x81, Peer.register("anna", via: "WS"))],
            pause: .milliseconds(200), until: "SIP/2.0 401 ")
        #expect(webSocket.text.contains("Sec-WebSocket-Protocol: sip"))
        #expect(webSocket.text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        #expect(webSocket.text.contains("SIP/2.0 401 "))
        await house.close()
    }

    @Test func `takes a frame that comes together with the handshake`() async throws {
        let house = try await TestHouse.open()
        let http = house.settings.httpPort
        let both = Peer.handshake(port: http) + Peer.frame(0x82, Peer.register("anna", via: "WS"))
        let answer = await Peer.talk(http, [both], until: "SIP/2.0 401 ")
        #expect(answer.text.contains("SIP/2.0 401 "))
        await house.close()
    }

    @Test func `closes frames and messages above the limit`() async throws {
        let house = try await TestHouse.open()
        let http = house.settings.httpPort
        let big = [UInt8](repeating: 0x41, count: 70_000)
        let frame = await Peer.talk(
            http, [Peer.handshake(port: http), Peer.frame(0x81, big)], pause: .milliseconds(200))
        #expect(frame.received.suffix(25).starts(with: [0x03, 0xf1]))
        #expect(frame.text.contains("message above the limit"))
        #expect(frame.closedAfter != nil)
        let long = await Peer.talk(
            house.settings.sipPort,
            [Peer.register("anna", via: "TCP", extra: "X: \(String(repeating: "a", count: 70_000))\r\n")])
        #expect(long.closedAfter != nil)
        #expect(long.text.hasPrefix("SIP/2.0 513 Headers Too Large"))
        let body = await Peer.talk(
            house.settings.sipPort,
            [Array("MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 999999999\r\n\r\n".utf8)])
        #expect(body.closedAfter != nil)
        await house.close()
    }

    @Test func `says what is wrong with a message over TCP, then closes`() async throws {
        let house = try await TestHouse.open()
        let wrong = Peer.register("anna", via: "TCP", extra: "no colon\r\n")
        let end = await Peer.talk(house.settings.sipPort, [Peer.register("anna", via: "TCP") + wrong])
        #expect(end.text.hasPrefix("SIP/2.0 401 "))
        #expect(end.text.contains("SIP/2.0 400 Malformed Header Line"))
        #expect(try #require(end.closedAfter) < Self.inTime)
        await house.close()
    }

    @Test func `answers a keep-alive by STUN on the port of SIP over UDP`() async throws {
        let house = try await TestHouse.open()
        let peer = try UDPPeer(port: try #require(house.settings.sipPort))
        let transaction = Array(1...12).map { UInt8($0) }
        peer.send([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + transaction)
        let answer = peer.receive()
        #expect(answer.starts(with: [1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42] + transaction))
        // XOR-MAPPED-ADDRESS of 127.0.0.1 (RFC 8489 §14.2).
        #expect(answer.dropFirst(20).starts(with: [0, 0x20, 0, 8, 0, 1]))
        #expect(answer.suffix(4) == [0x7f ^ 0x21, 0x12, 0xa4, 1 ^ 0x42])
        await house.close()
    }

    @Test func `refuses WebSockets of other kinds in words`() async throws {
        let house = try await TestHouse.open()
        let port = house.settings.httpPort
        let plain = await Peer.talk(port, [request("GET /sip HTTP/1.1\nHost: localhost\n\n")])
        #expect(plain.text.hasPrefix("HTTP/1.1 426"))
        let protocolMissing = String(decoding: Peer.handshake(port: port), as: UTF8.self)
            .replacingOccurrences(of: "Sec-WebSocket-Protocol: sip", with: "X-Nothing: 1")
        #expect(await Peer.talk(port, [Array(protocolMissing.utf8)]).text.hasPrefix("HTTP/1.1 400"))
        let foreign = Peer.handshake(
            port: port,
            extra: "Origin: https://evil.example\r\nCookie: hearth_session=\(String(repeating: "A", count: 43))\r\n")
        #expect(await Peer.talk(port, [foreign]).text.hasPrefix("HTTP/1.1 403"))
        let elsewhere = Peer.handshake(port: port, path: "/other")
        #expect(await Peer.talk(port, [elsewhere], until: "HTTP/1.1 404").text.hasPrefix("HTTP/1.1 404"))
        await house.close()
    }

    @Test func `garbage on every port ends there, and the server goes on`() async throws {
        let house = try await TestHouse.open(
            short: [\.handshakeTime, \.headerTime, \.messageTime, \.introductionTime])
        let ports = [
            house.settings.httpPort, house.settings.httpsPort, house.settings.sipPort, house.settings.sipsPort,
        ]
        var random = RandomSource(seed: 11)
        for port in ports {
            for _ in 0..<5 {
                let end = await Peer.talk(port, [random.bytes(count: 2_000)])
                #expect(end.closedAfter != nil, "port \(port ?? 0)")
            }
        }
        let sip = try #require(house.settings.sipPort)
        let datagrams = try UDPPeer(port: sip)
        for _ in 0..<500 { datagrams.send(random.bytes(count: Int.random(in: 1...1_500, using: &random))) }
        // The kernel may drop a datagram behind so many others; a phone sends again.
        var answer: [UInt8] = []
        for _ in 0..<3 where answer.isEmpty {
            datagrams.send(Peer.register("anna", via: "UDP"))
            answer = datagrams.receive()
        }
        #expect(answer.starts(with: Array("SIP/2.0 401 ".utf8)), "\(answer.prefix(400))")
        await house.close()
    }

    // MARK: - Start and stop

    @Test func `a port in use is one line with the flag and the remedy`() async throws {
        let house = try await TestHouse.open()
        let taken = try #require(house.settings.sipPort)
        let error = await #expect(throws: SettingsError.self) {
            try await TestHouse.open { $0.sipPort = taken }
        }
        #expect(error?.description.contains("--sip-port \(taken) is in use") == true)
        let web = try #require(house.settings.httpsPort)
        let other = await #expect(throws: SettingsError.self) {
            try await TestHouse.open { $0.httpsPort = web }
        }
        #expect(other?.description.contains("--https-port \(web) is in use") == true)
        await house.close()
    }

    @Test func `an unreadable certificate is one line with the flag`() async throws {
        let missing = await #expect(throws: SettingsError.self) {
            try await TestHouse.open { $0.certificate = ("/nonexistent/c.pem", "/nonexistent/k.pem") }
        }
        #expect(missing?.description.contains("--certificate /nonexistent/c.pem") == true)
        #expect(missing?.description.contains("there is no such file") == true)
    }

    @Test func `stops within five seconds with every kind of connection open, and tells pages why`() async throws {
        let house = try await TestHouse.open()
        let (http, https) = (house.settings.httpPort, house.settings.httpsPort)
        async let webSocket = Peer.talk(http, [Peer.handshake(port: http)])
        async let halfRequest = Peer.talk(http, [Array("GET / HT".utf8)])
        async let halfTLS = Peer.talk(https, [])
        async let sip = Peer.talk(house.settings.sipPort, [Peer.register("anna", via: "TCP")])
        for _ in 0..<100 where house.server.hub.counter.open < 4 { try await Task.sleep(for: .milliseconds(50)) }
        try await Task.sleep(for: .milliseconds(300))
        let began = ContinuousClock.now
        await house.server.stop(farewell: .milliseconds(300))
        #expect(ContinuousClock.now - began < .seconds(5))
        let end = await webSocket
        #expect(end.text.contains("the server stops"))
        _ = await (halfRequest, halfTLS, sip)
        try FileManager.default.removeItem(atPath: house.folder)
    }

    @Test func `stops within five seconds under load`() async throws {
        let house = try await TestHouse.open()
        let sip = try #require(house.settings.sipPort)
        let load = Task.detached {
            let datagrams = try UDPPeer(port: sip)
            var sent = 0
            while !Task.isCancelled {
                datagrams.send(Peer.register("anna", via: "UDP", extra: "X: \(sent)\r\n"))
                sent += 1
            }
            return sent
        }
        let streams = (0..<20).map { _ in
            Task {
                let many = Array(repeating: Peer.register("anna", via: "TCP"), count: 500)
                return await Peer.talk(sip, many, pause: .milliseconds(2)).closedAfter
            }
        }
        try await Task.sleep(for: .milliseconds(500))
        let began = ContinuousClock.now
        await house.server.stop(farewell: .milliseconds(600))
        #expect(ContinuousClock.now - began < .seconds(5))
        load.cancel()
        #expect(try await load.value > 100)
        for stream in streams { #expect(await stream.value != nil) }
        try FileManager.default.removeItem(atPath: house.folder)
    }
}
