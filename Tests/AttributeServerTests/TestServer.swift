import AttributeServer
import Crypto
import Foundation
import Hummingbird
import HummingbirdTesting
import Testing
import Wire

/// An Attribute Server on a database of its own, asked through its router.
struct TestServer {
  let folder: TemporaryFolder
  let database: ServerDatabase
  let clock: TestClock
  var arguments: ServerArguments

  init(
    registration: Registration = .open, limits: ServerLimits = ServerLimits(),
    signals: SignalTarget? = nil
  ) throws {
    folder = try TemporaryFolder()
    database = try openDatabase(folder)
    clock = TestClock()
    arguments = ServerArguments(
      database: database, invites: Invites(dataPath: folder.path), registration: registration,
      push: ":7481/push", signals: signals, limits: limits, clock: clock.clock,
      logger: quietLogger())
  }

  /// Over the router alone, or over real connections.
  func run(
    over framework: TestingSetup = .router, _ body: @Sendable (TestCaller) async throws -> Void
  ) async throws {
    let application = try buildApplication(arguments)
    try await application.test(framework) { try await body(TestCaller(client: $0)) }
  }
}

/// What a client does, over the router.
struct TestCaller: Sendable {
  let client: any TestClientProtocol

  struct Answer {
    let status: Int
    let headers: HTTPFields
    let body: Data

    var mediaType: String? { headers[.contentType] }
    var retryAfter: String? { headers[.retryAfter] }

    func read<Body: Decodable>(_: Body.Type = Body.self) throws -> Body {
      try JSONDecoder().decode(Body.self, from: body)
    }

    var code: String? { (try? read(Problem.self))?.code.rawValue }
  }

  func post(_ path: String, _ body: some Encodable, token: String? = nil) async throws -> Answer {
    try await send(path, .post, try JSONEncoder().encode(body), token: token)
  }

  func post(_ path: String, raw body: Data, token: String? = nil) async throws -> Answer {
    try await send(path, .post, body, token: token)
  }

  func get(_ path: String, token: String? = nil) async throws -> Answer {
    try await send(path, .get, nil, token: token)
  }

  func put(
    _ path: String, _ body: Data, token: String? = nil, mediaType: String? = nil
  ) async throws -> Answer {
    try await send(
      path, .put, body, token: token, mediaType: mediaType ?? "application/octet-stream")
  }

  private func send(
    _ path: String, _ method: HTTPRequest.Method, _ body: Data?, token: String? = nil,
    mediaType: String? = nil
  ) async throws -> Answer {
    var headers = HTTPFields()
    if let mediaType { headers[.contentType] = mediaType }
    if let token { headers[.authorization] = "Bearer " + token }
    return try await client.execute(
      uri: path, method: method, headers: headers, body: body.map { ByteBuffer(bytes: $0) }
    ) { response in
      Answer(
        status: response.status.code, headers: response.headers,
        body: Data(response.body.readableBytesView))
    }
  }

  func challenge(_ request: ChallengeRequest) async throws -> ChallengeResponse {
    try await post(Route.challenge, request).read()
  }

  func tokenRequest(
    for device: TestDevice, audiences: [Audience] = [.attributes], signedFor: [Audience]? = nil,
    challenge: ChallengeResponse? = nil
  ) async throws -> TokenRequest {
    let given =
      if let challenge { challenge } else {
        try await self.challenge(ChallengeRequest(device: device.id))
      }
    let proof = AuthenticationProof.signedBytes(
      instance: given.instance, serverKeyHash: .zero, action: .token,
      audiences: signedFor ?? audiences, challenge: given.challenge.bytes)
    return TokenRequest(
      device: device.id, challenge: given.challenge, audiences: audiences, clientTime: 0,
      signature: Blob(try device.authentication.signature(for: proof)))
  }

  func token(for device: TestDevice, _ audience: Audience = .attributes) async throws -> String {
    let request = try await tokenRequest(for: device, audiences: [audience])
    let response: TokenResponse = try await post(Route.token, request).read()
    return try #require(response.grants.first).token
  }

  func slotRequest(
    of account: TestAccount, by key: Curve25519.Signing.PrivateKey? = nil
  ) async throws -> SlotRequest {
    let given = try await challenge(ChallengeRequest(handle: account.handle))
    let proof = AuthenticationProof.signedBytes(
      instance: given.instance, serverKeyHash: .zero, action: .slot, audiences: [],
      challenge: given.challenge.bytes)
    return SlotRequest(
      handle: account.handle, challenge: given.challenge,
      signature: Blob(try (key ?? account.login).signature(for: proof)))
  }
}
