import Accounts
import Base
import CallControl
import Foundation
import HTTPAPI
import Logging
import Metrics
import NIOCore
import NIOPosix
import NIOSSL
import SIP
import ServiceLifecycle
import SocketIO
import Store
import UnixSignals

/// `hearth serve`: starts everything in order, waits for the signal to stop, and stops everything in reverse.
package struct HearthServer: Service {
    /// What a stop may take before what is left is cut off: systemd and people wait 5 s.
    package static let stopTime = Duration.milliseconds(4_500)
    /// From the closing words to the end of the connections: a round trip, and answers of the last requests.
    private static let farewellTime = Duration.milliseconds(600)

    private let settings: Settings
    private let logger: Logger
    private let registry: PrometheusRegistry
    /// Prints a line for whoever started the server.
    private let announce: @Sendable (String) -> Void

    package init(
        settings: Settings, logger: Logger, registry: PrometheusRegistry, announce: @escaping @Sendable (String) -> Void
    ) {
        (self.settings, self.logger, self.registry, self.announce) = (settings, logger, registry, announce)
    }

    /// Sets the process up and serves until SIGTERM or SIGINT.
    package static func serve(_ settings: Settings) async throws {
        // A peer that is gone must not end the program.
        signal(SIGPIPE, SIG_IGN)
        LoggingSystem.bootstrap { _ in LineLogHandler(format: settings.logFormat, logLevel: settings.logLevel) }
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        let logger = Logger(label: "hearth")
        let server = HearthServer(settings: settings, logger: logger, registry: registry) { line in
            try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
        }
        var quiet = logger
        quiet.logLevel = max(settings.logLevel, .warning)
        var configuration = ServiceGroupConfiguration(
            services: [.init(service: server, successTerminationBehavior: .gracefullyShutdownGroup)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        configuration.maximumGracefulShutdownDuration = stopTime
        try await ServiceGroup(configuration: configuration).run()
    }

    package func run() async throws {
        let running = try await RunningServer.start(settings, logger: logger, registry: registry, announce: announce)
        await withTaskGroup { group in
            group.addTask { await running.plane.follow(running.store.changes, logger: logger) }
            if let tls = running.tls { group.addTask { await tls.watch(logger: logger) } }
            try? await gracefulShutdown()
            logger.info("stopping")
            await running.stop(farewell: Self.farewellTime)
            group.cancelAll()
        }
        logger.info("stopped")
    }
}

/// The parts of a server that runs, in the order they were started.
struct RunningServer: Sendable {
    let store: HouseholdStore
    let group: MultiThreadedEventLoopGroup
    let resolver: NextHopResolver
    let tls: TLSKeeper?
    let loop: ControlLoop
    let plane: ControlPlane
    let hub: StreamHub
    private(set) var listeners: [any Channel]

    static func start(
        _ settings: Settings, limits: SocketLimits = .standard, files: StaticFiles? = nil, logger: Logger,
        registry: PrometheusRegistry, announce: @Sendable (String) -> Void
    ) async throws -> RunningServer {
        let began = ContinuousClock.now
        var limits = limits
        limits.connections = min(limits.connections, DescriptorLimit.raise())
        try DataFolder.prepare(settings.dataFolder)
        let store = try await Household.open(settings)
        let site = try await Site(settings, store)
        let needsTLS = settings.httpsPort != nil || settings.sipsPort != nil
        let tls = needsTLS ? try TLSKeeper(settings: settings, names: { site.certificateNames }) : nil
        let client = try TLSKeeper.clientContext()
        let page = if let files { files } else { try WebFiles.load() }

        // UDP sockets belong to the control plane's loop, so they are bound before it starts.
        var sockets: [DatagramSocket] = []
        if let port = settings.sipPort {
            sockets = try await settings.open(.sipPort, port) { address in
                try DatagramSocket(binding: address, id: address.ip.isV4 ? 1 : 2)
            }
        }
        let configuration = try await site.controllerConfiguration(settings, sockets, store)
        var controller = CallController(configuration: configuration, random: .system, at: MonotonicClock.now)
        controller.load(
            accounts: try await store.sipAccounts(), bindings: try await store.bindings(), at: MonotonicClock.now)

        // From here on threads run, and an error must end them.
        let loop = try ControlLoop()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, min(System.coreCount, 8)))
        let resolver = NextHopResolver(group: group)
        let plane = ControlPlane(
            loop: loop, controller: controller, store: store, resolver: resolver,
            journal: ControlJournal(logger: logger))
        loop.start(sockets: sockets, delegate: plane)
        let hub = StreamHub(group: group, limits: limits) { loop.deliver($0) }
        plane.connect(with: StreamConnector(hub: hub, tls: client))
        let web = WebSite(
            settings: settings, site: site, store: store, hub: hub, plane: plane, registry: registry,
            secret: configuration.secret, files: page, logger: logger)
        var running = RunningServer(
            store: store, group: group, resolver: resolver, tls: tls, loop: loop, plane: plane, hub: hub, listeners: [])
        do {
            try await running.listen(settings, web)
            store.watch()
            if let link = try await store.makeOwnerLink(random: .system) {
                announce("hearth: create the owner's account: \(link.url(publicURL: site.publicURL))")
            }
        } catch {
            await running.stop(farewell: .zero)
            throw error
        }
        announce("hearth: ready \(site.places(settings).joined(separator: " "))")
        let took = ContinuousClock.now - began
        logger.info("ready", metadata: ["milliseconds": "\(took.wholeNanoseconds / 1_000_000)"])
        return running
    }

    private mutating func listen(_ settings: Settings, _ web: WebSite) async throws {
        let streams = StreamListener(hub: hub)
        if let port = settings.sipPort {
            listeners += try await settings.open(.sipPort, port) { try await streams.listen($0) }
        }
        if let port = settings.sipsPort, let tls {
            listeners += try await settings.open(.sipsPort, port) { try await streams.listen($0, tls: tls.sip) }
        }
        if let port = settings.httpPort {
            listeners += try await settings.open(.httpPort, port) { try await web.plain.listen($0, tls: nil) }
        }
        if let port = settings.httpsPort, let tls {
            listeners += try await settings.open(.httpsPort, port) { try await web.secure.listen($0, tls: tls.web) }
        }
    }

    /// In reverse: no new connections; what waits for the disk goes there and is answered; closing words to
    /// everybody; then the loops, the resolver and the store.
    func stop(farewell: Duration) async {
        for listener in listeners { try? await listener.close() }
        plane.perform { controller, now in controller.flush(at: now) }
        try? await store.flushBindings()
        hub.closeAll(reason: "the server stops")
        try? await Task.sleep(for: farewell)
        loop.stop()
        resolver.stop()
        try? await group.shutdownGracefully()
        await store.close()
    }
}
