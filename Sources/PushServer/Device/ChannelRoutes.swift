import Access
import Foundation
import Logging
import NIOCore
import Wire

/// The API for sleeping devices: registering, confirming and removing the channel of the device
/// whose push token stands in `Authorization`.
struct ChannelRoutes {
  let channel: DeviceChannel
  let gateways: Gateways

  private struct Confirmation: Codable {
    let challenge: String
  }

  private struct Description: Codable {
    /// What ``PushChannel/id`` is.
    var channel: String?
    var kind: ChannelRegistration.Kind?
    var confirmed: Bool?
    /// Kinds this server has a gateway for.
    let kinds: [ChannelRegistration.Kind]
    /// `applicationServerKey` of Web Push.
    let webPushKey: String?
  }

  func serve(_ request: Request) {
    let node = channel.node
    let loop = node.loop
    let gateways = gateways
    let answer = Answer(channel)
    let tokens = node.configuration.tokens
    let now = node.configuration.now()
    let logger = node.configuration.logger
    Task {
      let reply: HTTPReply
      do {
        let claims = try await Self.claims(of: request, tokens, now: now)
        reply = try await Self.reply(to: request, claims, gateways)
      } catch let problem as Problem {
        reply = HTTPReply(problem)
      } catch {
        logger.error("A channel could not be stored")
        reply = HTTPReply(Problem(.internalFailure))
      }
      loop.execute { answer.give(reply) }
    }
  }

  private static func claims(
    of request: Request, _ tokens: any TokenChecker, now: Int64
  ) async throws(Problem) -> AccessClaims {
    let prefix = "Bearer "
    guard let header = request.value("authorization"), header.hasPrefix(prefix) else {
      throw Problem(.authenticationFailed)
    }
    do throws(AccessError) {
      let claims = try await tokens.check(String(header.dropFirst(prefix.count)), now: now)
      guard claims.scope == .sync else { throw AccessError.malformed }
      return claims
    } catch .expired {
      throw Problem(.authenticationExpired)
    } catch {
      throw Problem(.authenticationFailed)
    }
  }

  private static func reply(
    to request: Request, _ claims: AccessClaims, _ gateways: Gateways
  ) async throws -> HTTPReply {
    let queue = gateways.queue
    let (account, device) = (claims.account, claims.device)
    switch (request.path, request.method) {
    case (Route.channels, "GET"):
      return try describe(try await queue.channel(account: account, device: device), gateways)
    case (Route.channels, "POST"):
      let registration = try read(ChannelRegistration.self, request)
      return try describe(
        try await queue.register(registration, account: account, device: device), gateways)
    case (Route.channels, "DELETE"):
      try await queue.unregister(account: account, device: device)
      return HTTPReply(status: 204)
    case (Route.channelConfirmation, "POST"):
      let confirmation = try read(Confirmation.self, request)
      guard try await queue.confirm(confirmation.challenge, account: account, device: device)
      else { throw Problem(.notFound) }
      return HTTPReply(status: 204)
    case (Route.channels, _), (Route.channelConfirmation, _): throw Problem(.methodNotAllowed)
    default: throw Problem(.notFound)
    }
  }

  private static func read<Body: Decodable>(
    _ type: Body.Type, _ request: Request
  ) throws(Problem) -> Body {
    do {
      return try JSONDecoder().decode(type, from: Data(request.body))
    } catch {
      throw Problem(.malformed, detail: "The body does not read.")
    }
  }

  private static func describe(
    _ channel: PushChannel?, _ gateways: Gateways
  ) throws -> HTTPReply {
    let description = Description(
      channel: channel?.id, kind: channel?.registration.kind, confirmed: channel?.isConfirmed,
      kinds: gateways.queue.kinds, webPushKey: gateways.webPushKey)
    return HTTPReply(json: Array(try JSONEncoder().encode(description)))
  }
}

/// Carries the channel past its loop and back.
///
/// Unchecked: the channel is touched in ``give(_:)`` alone, which checks that it is on the loop.
private struct Answer: @unchecked Sendable {
  private let channel: DeviceChannel

  init(_ channel: DeviceChannel) {
    self.channel = channel
  }

  func give(_ reply: HTTPReply) {
    channel.loop.preconditionInEventLoop()
    channel.answer(reply)
  }
}
