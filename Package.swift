// swift-tools-version: 6.2
import PackageDescription

// The manifest is the architecture: three rings, and arrows point inward. docs/architecture.md tells it in words.

/// What every target of ours is compiled with.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A test target beside the target it tests.
func tests(_ name: String, uses others: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.target(name: name)] + others, resources: resources, swiftSettings: strict)
}

/// How a release is linked: without the parts of Swift's libraries that nobody uses, equal functions once, relocations
/// packed, names kept for back traces but no debug information. A quarter of the idle server's memory was such pages.
let release: [LinkerSetting] =
    [
        .unsafeFlags(
            ["-static-stdlib", "-use-ld=lld"]
                + ["--icf=safe", "--no-export-dynamic", "--strip-debug", "-z", "pack-relative-relocs"]
                .flatMap { ["-Xlinker", $0] },
            .when(platforms: [.linux], configuration: .release))
    ]
    // What Foundation is made of, which the dynamic libraries would pull in by themselves.
    + [
        "Foundation", "CoreFoundation", "FoundationInternationalization", "FoundationEssentials", "_FoundationICU",
        "_FoundationCShims", "_FoundationCollections", "swiftSynchronization", "swift_StringProcessing",
        "swift_RegexParser", "swiftObservation", "swiftDispatch", "dispatch", "BlocksRuntime",
    ].map { .linkedLibrary($0, .when(platforms: [.linux], configuration: .release)) }

let package = Package(
    name: "hearth",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "hearth", targets: ["hearth"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.0"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
    ],
    targets: [
        // Ring 0 and 1: protocols. These and UserAgent also run in the browser: they depend on nothing at all.
        .target(name: "Base", swiftSettings: strict),
        .target(name: "SIP", dependencies: ["Base"], swiftSettings: strict),
        .target(name: "SDP", dependencies: ["Base"], swiftSettings: strict),
        // Protocols of the server alone, as free of dependencies, but for OpenSSL's ciphers.
        .target(name: "STUN", dependencies: ["Base"], swiftSettings: strict),
        .target(name: "TURN", dependencies: ["Base", "STUN"], swiftSettings: strict),
        .target(name: "ICE", dependencies: ["Base", "STUN"], swiftSettings: strict),
        .target(name: "RTP", dependencies: ["Base"], swiftSettings: strict),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .target(name: "SRTP", dependencies: ["Base", "RTP", "COpenSSL"], swiftSettings: strict),
        .target(name: "DTLS", dependencies: ["Base", "SDP", "SRTP", "COpenSSL"], swiftSettings: strict),

        // Ring 2: features, without sockets, files or clocks.
        .target(name: "UserAgent", dependencies: ["Base", "SIP", "SDP"], swiftSettings: strict),
        .target(name: "CallControl", dependencies: ["Base", "SIP", "SDP"], swiftSettings: strict),
        .target(name: "Gateway", dependencies: ["Base", "SDP", "RTP"], swiftSettings: strict),
        .target(
            name: "Accounts",
            dependencies: ["Base", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),

        // Ring 3: edges.
        .target(
            name: "BrowserPhone", dependencies: ["Base", "SIP", "UserAgent"], exclude: ["Runtime"],
            swiftSettings: strict),
        .target(
            name: "WebBundle", resources: [.copy("../../Web")], swiftSettings: strict, plugins: ["WebAssembly"]),
        .plugin(name: "WebAssembly", capability: .buildTool()),
        .target(name: "CSockets"),
        .target(
            name: "SocketIO",
            dependencies: [
                "Base", "SIP", "STUN", "TURN", "CSockets",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict),
        .target(
            name: "Store",
            dependencies: ["Base", "SIP", "Accounts", "CallControl", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: strict),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(
            name: "HTTPAPI",
            dependencies: [
                "Base", "Accounts", "Store", "CZlib",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .target(
            name: "Server",
            dependencies: [
                "Base", "SIP", "STUN", "CallControl", "Accounts", "SocketIO", "Store", "HTTPAPI", "WebBundle",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "hearth",
            dependencies: ["Server", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict, linkerSettings: release),

        // Test support: networks in virtual time, and OpenSSL's clock in it.
        .target(name: "NetSimulation", dependencies: ["Base"], swiftSettings: strict),
        .target(name: "CVirtualClock", path: "Tests/CVirtualClock"),

        .target(
            name: "FuzzHarness", dependencies: ["Base", "SIP", "CallControl"], path: "Fuzz/Harness",
            swiftSettings: strict),

        // What `make fuzz` found, again on every change.
        .testTarget(
            name: "CorpusTests",
            dependencies: [
                "BrowserPhone", "DTLS", "FuzzHarness", "Gateway", "ICE", "RTP", "SDP", "SIP", "SRTP", "STUN", "TURN",
                "UserAgent",
            ],
            swiftSettings: strict),
        tests("Base"), tests("NetSimulation"),
        .testTarget(
            name: "VirtualTimeTests", dependencies: ["Base", "SIP", "UserAgent", "CallControl", "NetSimulation"],
            swiftSettings: strict),
        tests("BrowserPhone", uses: ["Base", "SIP", "UserAgent"], resources: [.copy("Frames")]),
        tests("SIP", uses: ["Base"], resources: [.copy("Resources")]),
        tests("SDP", uses: ["Base"], resources: [.copy("Descriptions")]),
        tests("STUN", uses: ["Base"]), tests("TURN", uses: ["Base", "STUN"]), tests("RTP", uses: ["Base"]),
        tests("SRTP", uses: ["Base", "RTP"]),
        tests("ICE", uses: ["Base", "STUN", "NetSimulation"]),
        tests("DTLS", uses: ["Base", "SDP", "SRTP", "NetSimulation", "CVirtualClock"]),
        tests("Gateway", uses: ["Base", "SDP", "RTP"]),
        tests("UserAgent", uses: ["Base", "SIP", "SDP"]),
        tests("CallControl", uses: ["Base", "SIP", "SDP"]),
        tests("Accounts", uses: ["Base", .product(name: "Crypto", package: "swift-crypto")]),
        tests(
            "Store",
            uses: ["Base", "SIP", "Accounts", "CallControl", .product(name: "GRDB", package: "GRDB.swift")]),
        tests(
            "SocketIO",
            uses: [
                "Base", "SIP", "STUN", "TURN", "CSockets",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        tests(
            "Server",
            uses: [
                "Base", "SIP", "SocketIO", "Store", "HTTPAPI", "Accounts",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        tests(
            "HTTPAPI",
            uses: [
                "Base", "SIP", "CallControl", "Accounts", "Store",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
    ]
)
