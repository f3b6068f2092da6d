public import Access
import Foundation
public import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
public import ServiceLifecycle
public import Wire

/// Builds the Attribute Server's application: routes, signal outbox, and their life.
///
/// Nothing listens before the application runs, so tests send requests straight to the router.
public func buildApplication(
  _ arguments: ServerArguments
) throws -> some ApplicationProtocol {
  guard arguments.registration != .open || isLoopback(arguments.host) else {
    throw AttributeServerError.openRegistrationBeyondLoopback
  }
  let authentication = try Authentication(
    database: arguments.database, clock: arguments.clock, keyHashes: arguments.keyHashes)
  let mailboxes = Mailboxes(clock: arguments.clock)
  let outbox = SignalOutbox(
    database: arguments.database, issuer: authentication.issuer, clock: arguments.clock,
    target: arguments.signals, logger: arguments.logger)
  let controller = AttributeController(
    arguments: arguments, authentication: authentication, mailboxes: mailboxes, outbox: outbox)
  let router = Router(context: ServerRequestContext.self)
  router.add(
    middleware: ProblemMiddleware(logger: arguments.logger, onRefusal: arguments.onRefusal))
  router.add(middleware: ProtocolMiddleware())
  controller.addRoutes(to: router)
  // The library's own lines carry request ids and paths; ours say what an operator needs.
  var quiet = arguments.logger
  quiet.logLevel = max(quiet.logLevel, .warning)
  let onListening = arguments.onListening
  var services: [any Service] = [outbox, MailboxDrain(mailboxes: mailboxes)]
  if !arguments.isReadOnly { services.append(PruningService(arguments)) }
  if let path = arguments.control {
    services.append(
      ControlService(database: arguments.database, path: path, logger: arguments.logger))
  }
  return Application(
    router: router, server: try server(arguments),
    configuration: ApplicationConfiguration(
      address: arguments.socket.map { .unixDomainSocket(path: $0) }
        ?? .hostname(arguments.host, port: arguments.port), serverName: nil),
    services: services,
    onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
    logger: quiet)
}

/// Two minutes without a byte: four times what a long poll waits.
private let idleTimeout = TimeAmount.minutes(2)

private func server(_ arguments: ServerArguments) throws -> HTTPServerBuilder {
  let http = HTTPServerBuilder.http1(configuration: .init(idleTimeout: idleTimeout))
  guard let tls = arguments.tls else { return http }
  return try .tls(http, tlsConfiguration: tls)
}

/// The whole Attribute Server as a service: it runs until it is told to stop, and throws when it
/// cannot listen.
public struct AttributeService: Service {
  private let application: any ApplicationProtocol
  private let address: String

  public init(_ arguments: ServerArguments) throws {
    application = try buildApplication(arguments)
    address = arguments.socket ?? "\(arguments.host):\(arguments.port)"
  }

  public func run() async throws {
    do {
      try await application.run()
    } catch let error as IOError {
      throw AttributeServerError.cannotListen(
        address: address, reason: String(cString: strerror(error.errnoCode)))
    }
  }
}

/// The verifier of push tokens for a Push Service in the same process.
public func pushTokenVerifier(of database: ServerDatabase) throws(AccessError) -> TokenVerifier {
  let issuer = try TokenIssuer(
    instance: database.identity.instance, seed: database.identity.signingSeed)
  return try TokenVerifier(
    instance: database.identity.instance, audience: .push, keys: issuer.keySet)
}

/// The feed of revocations for a Push Service in the same process.
public func revocationFeed(
  of database: ServerDatabase, clock: ServerClock = .system
) throws(AccessError) -> @Sendable (UInt64?) async throws -> SignedRevocations {
  let issuer = try TokenIssuer(
    instance: database.identity.instance, seed: database.identity.signingSeed)
  return { after in
    try await issuer.sign(
      try await database.revocations(
        after: after, limit: SignalOutbox.revocationBatch, now: clock.now()))
  }
}

/// Whether only this machine reaches that address: `localhost`, `::1` or an address, not a name, of
/// 127.0.0.0/8.
public func isLoopback(_ host: String) -> Bool {
  var address = in_addr()
  let isAddress = inet_pton(AF_INET, host, &address) == 1
  return host == "localhost" || host == "::1" || (isAddress && host.hasPrefix("127."))
}

/// Ends the long polls when the server stops, so that it need not wait for them.
private struct MailboxDrain: Service {
  let mailboxes: Mailboxes

  func run() async throws {
    try await gracefulShutdown()
    await mailboxes.drain()
  }
}
