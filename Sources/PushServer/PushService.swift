import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Wire

/// The Push Service: a listener for devices (`GET /push`, a WebSocket) and one for the Attribute
/// Server (`POST /v1/signals`), on one event loop with one hub and no locks.
public final class PushService: Sendable {
  /// What the kernel may hold for one device: stale frames are not worth more.
  private static let sendBufferBytes = 8192

  /// The port devices connect to.
  public let devicePort: Int
  /// The port of the web-service API.
  public let signalPort: Int
  private let group: MultiThreadedEventLoopGroup
  private let node: PushNode
  private let listeners: [any Channel]

  /// Starts both listeners; throws when an address cannot be used.
  public static func start(_ configuration: PushConfiguration) async throws -> PushService {
    let tls = try configuration.tls.map { try NIOSSLContext(configuration: $0) }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let node: PushNode
    do throws(PushServerError) {
      node = try PushNode(loop: group.next(), configuration: configuration)
    } catch {
      try await group.shutdownGracefully()
      throw error
    }
    do {
      let devices = try await deviceBootstrap(group, node: node, tls: tls)
        .bind(host: configuration.deviceHost, port: configuration.devicePort).get()
      let signals: any Channel
      do {
        signals = try await signalBootstrap(
          group, node: node, tls: configuration.protectsSignals ? tls : nil
        )
        .bind(host: configuration.signalHost, port: configuration.signalPort).get()
      } catch {
        throw PushServerError(
          host: configuration.signalHost, port: configuration.signalPort, error)
      }
      try await node.loop.submit { node.start() }.get()
      return PushService(group: group, node: node, devices: devices, signals: signals)
    } catch {
      await node.gateways?.stop()
      try await group.shutdownGracefully()
      if error is PushServerError { throw error }
      throw PushServerError(
        host: configuration.deviceHost, port: configuration.devicePort, error)
    }
  }

  private init(
    group: MultiThreadedEventLoopGroup, node: PushNode, devices: any Channel,
    signals: any Channel
  ) {
    self.group = group
    self.node = node
    listeners = [devices, signals]
    devicePort = devices.localAddress?.port ?? 0
    signalPort = signals.localAddress?.port ?? 0
  }

  /// Devices connected or saying hello.
  public func connectionCount() async throws -> Int {
    let node = node
    return try await node.loop.submit { node.connectionCount }.get()
  }

  /// Connections to the listener for devices, whatever they do.
  func openChannels() async throws -> Int {
    let node = node
    return try await node.loop.submit { node.openChannels }.get()
  }

  /// Stops accepting, sends every device away with a wait of its own, and ends: when all are gone,
  /// or after `limit` with those that are left.
  public func drain(limit: Duration = .seconds(3)) async throws {
    let node = node
    for listener in listeners {
      // Closed already when the process is going down for another reason.
      do { try await listener.close() } catch ChannelError.alreadyClosed {}
    }
    try await node.loop.submit { node.drain() }.get()
    let end = ContinuousClock.now + limit
    while try await connectionCount() > 0, ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(20))
    }
    try await node.loop.submit { node.stop() }.get()
    await node.gateways?.stop()
    try await group.shutdownGracefully()
  }

  private static func deviceBootstrap(
    _ group: MultiThreadedEventLoopGroup, node: PushNode, tls: NIOSSLContext?
  ) -> ServerBootstrap {
    ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.so_sndbuf), value: sendBufferBytes)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(
        .writeBufferWaterMark,
        value: ChannelOptions.Types.WriteBufferWaterMark(low: 512, high: 1024)
      )
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(.recvAllocator, value: PassingReceiveAllocator())
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard node.hasRoom else {
            channel.close(promise: nil)
            return
          }
          let pipeline = channel.pipeline.syncOperations
          // Whoever does not finish the handshake is cut off like one who asks nothing.
          if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
          try pipeline.addHandler(DeviceChannel(node: node, isPlain: tls == nil))
        }
      }
  }

  private static func signalBootstrap(
    _ group: MultiThreadedEventLoopGroup, node: PushNode, tls: NIOSSLContext?
  ) -> ServerBootstrap {
    ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
          try pipeline.addHandler(SignalHandler(node: node))
        }
      }
  }
}
