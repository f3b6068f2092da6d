import Foundation
import NIOHTTP1
public import Sync
public import Wire

/// The Attribute Server, over HTTP.
///
/// No redirect is followed, and an answer over its limit is refused. Failures come as
/// `ServiceFailure`, in words. Access tokens are fetched by proving the device, kept, and fetched
/// anew once when the server refuses one.
public final class AttributeClient: AttributeService, Sendable {
  /// 8 MiB: a page of 4 MiB in base 64 is 5.6 MiB; the rest is for membership records.
  static let pageLimitBytes = 8 * 1024 * 1024

  public let address: ServerAddress
  let http: HTTPTransport
  private let instance: InstanceID?
  private let tokens: AccessTokens

  /// - Parameters:
  ///   - prover: nil before this device has keys; calls that need a token then fail.
  ///   - instance: the server's installation as it is known; another one is refused before anything
  ///     is signed for it. nil takes any.
  ///   - digest: SHA-256.
  ///
  /// Throws when the certificates of `trust` do not read.
  public convenience init(
    address: ServerAddress, trust: ServerTrust = .authorities(),
    prover: (any DeviceProver)? = nil, instance: InstanceID? = nil,
    digest: @escaping @Sendable ([UInt8]) -> Digest32
  ) throws {
    try self.init(
      address: address, trust: trust, prover: prover, instance: instance, digest: digest,
      timing: .init(), now: { .now })
  }

  init(
    address: ServerAddress, trust: ServerTrust, prover: (any DeviceProver)?,
    instance: InstanceID?, digest: @escaping @Sendable ([UInt8]) -> Digest32,
    timing: HTTPTransport.Timing, now: @escaping @Sendable () -> ContinuousClock.Instant
  ) throws {
    self.address = address
    self.instance = instance
    let http = try HTTPTransport(address: address, trust: trust, timing: timing, digest: digest)
    self.http = http
    tokens = AccessTokens(now: now) { audience in
      do throws(ServiceFailure) {
        let proof = DeviceProof(http: http, prover: prover, instance: instance)
        return .success(try await proof.token(for: audience, now: now))
      } catch {
        return .failure(error)
      }
    }
  }

  /// SHA-256 of the server's public key as it was last seen; nil over plaintext and before the
  /// first answer.
  public var serverKeyHash: Digest32? { address.isSecure ? http.key.hash : nil }

  // MARK: Without a token

  public func info() async throws(ServiceFailure) -> ServerInfo {
    try await http.get(Route.info)
  }

  /// Creates the account; answers its membership chain, which then is the genesis record.
  public func createAccount(
    _ request: AccountRequest
  ) async throws(ServiceFailure) -> MembershipResponse {
    try await http.post(Route.accounts, request)
  }

  /// The record by which the account was deleted; nil when the server knows of none.
  public func ending(of account: AccountID) async throws(ServiceFailure) -> Blob? {
    do {
      let answer: EndingResponse = try await http.get("\(Route.accounts)/\(account)/ending")
      return answer.record
    } catch .refused(let problem) where problem.code == .notFound {
      return nil
    }
  }

  public func challenge(
    _ request: ChallengeRequest
  ) async throws(ServiceFailure) -> ChallengeResponse {
    let response: ChallengeResponse = try await http.post(Route.challenge, request)
    try Self.check(response, instance: instance)
    return response
  }

  /// What is signed in answer to `challenge`.
  public func proofBytes(
    for challenge: ChallengeResponse, action: AuthenticationProof.Action, audiences: [Audience]
  ) -> [UInt8] {
    http.proofBytes(for: challenge, action: action, audiences: audiences)
  }

  /// Hands out tokens for a proof made by somebody else than this client's prover.
  public func token(_ request: TokenRequest) async throws(ServiceFailure) -> TokenResponse {
    try await http.post(Route.token, request)
  }

  public func slot(_ request: SlotRequest) async throws(ServiceFailure) -> SlotResponse {
    try await http.post(Route.slot, request)
  }

  /// Puts a letter into an open mailbox.
  public func post(
    _ letter: [UInt8], to box: MailboxRequest.Box, of rendezvous: RendezvousID
  ) async throws(ServiceFailure) {
    let request = MailboxRequest(box: box, letter: Blob(letter))
    _ = try await http.send(.post("\(Route.enrol)/\(rendezvous)", request))
  }

  /// The letter in `box`; nil when none came within `wait` (the server waits 25 s at the most).
  public func read(
    _ box: MailboxRequest.Box, of rendezvous: RendezvousID, wait: Duration
  ) async throws(ServiceFailure) -> [UInt8]? {
    let path = "\(Route.enrol)/\(rendezvous)/\(box.rawValue)?wait=\(wait.components.seconds)"
    guard let body = try await http.send(.init(method: .GET, path: path)) else { return nil }
    return try HTTPTransport.decode(MailboxResponse.self, from: body).letter.bytes
  }

  // MARK: With a token

  public func synchronise(_ request: SyncRequest) async throws(ServiceFailure) -> SyncResponse {
    var message = try HTTPTransport.Request.post(Route.sync, request)
    message.answerLimitBytes = Self.pageLimitBytes
    return try await authorized(message)
  }

  /// The membership records after the one with that hash; all of them for nil.
  ///
  /// - Parameter token: of scope `enrol`, from ``slot(_:)``; nil for this device's own.
  public func membership(
    after hash: Digest32?, token: String? = nil
  ) async throws(ServiceFailure) -> MembershipResponse {
    let query = hash.map { "?after=\($0)" } ?? ""
    var message = HTTPTransport.Request(method: .GET, path: Route.membership + query)
    message.answerLimitBytes = Self.pageLimitBytes
    return try await authorized(message, token: token)
  }

  /// Appends a record; the problem `stale_membership` says that the chain has moved on.
  public func appendMembership(
    _ request: MembershipRequest, token: String? = nil
  ) async throws(ServiceFailure) -> MembershipResponse {
    var message = try HTTPTransport.Request.post(Route.membership, request)
    message.answerLimitBytes = Self.pageLimitBytes
    return try await authorized(message, token: token)
  }

  /// Says that this device, which was revoked, has erased itself.
  public func farewell(_ farewell: Farewell) async throws(ServiceFailure) {
    _ = try await withToken(try HTTPTransport.Request.post(Route.farewell, farewell))
  }

  /// Opens the mailbox of a pairing.
  public func openMailbox(_ rendezvous: RendezvousID) async throws(ServiceFailure) {
    let message = try HTTPTransport.Request.post(
      "\(Route.enrol)/\(rendezvous)", MailboxRequest(box: .open))
    _ = try await withToken(message)
  }

  /// A token for the Push Service.
  public func pushToken() async throws(ServiceFailure) -> String {
    try await pushAccess().text
  }

  func pushAccess(replacing refused: String? = nil) async throws(ServiceFailure) -> AccessToken {
    try await tokens.token(for: .push, replacing: refused).get()
  }

  func authorized<Answer: Decodable>(
    _ message: HTTPTransport.Request, token: String? = nil
  ) async throws(ServiceFailure) -> Answer {
    var message = message
    let body: [UInt8]?
    if let token {
      message.token = token
      body = try await http.send(message)
    } else {
      body = try await withToken(message)
    }
    return try HTTPTransport.decode(Answer.self, from: body ?? [])
  }

  /// Sends the message with this device's token, and once more with a new one when it is refused.
  func withToken(
    _ message: HTTPTransport.Request
  ) async throws(ServiceFailure) -> [UInt8]? {
    var message = message
    let token = try await tokens.token(for: .attributes).get()
    message.token = token.text
    do throws(ServiceFailure) {
      return try await http.send(message)
    } catch {
      guard case .refused(let problem) = error,
        [.authenticationExpired, .authenticationFailed].contains(problem.code)
      else { throw error }
      message.token = try await tokens.token(for: .attributes, replacing: token.text).get().text
      return try await http.send(message)
    }
  }

  static func check(
    _ response: ChallengeResponse, instance: InstanceID?
  ) throws(ServiceFailure) {
    guard instance == nil || instance == response.instance else {
      throw .unintelligible("another Attribute Server answers there (\(response.instance))")
    }
    guard response.challenge.bytes.count == 32 else {
      throw .unintelligible("a challenge is 32 bytes")
    }
  }
}
