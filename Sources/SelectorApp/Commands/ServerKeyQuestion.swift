import ArgumentParser
import Transport
import Vault
import Wire

/// How a server is known that no pairing code vouches for.
struct ServerKeyOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      The server's key, as higginsd writes it to its log, where no authority of this machine \
      vouches for its certificate.
      """, valueName: "key"))
  var serverKey: String?

  /// The pin of the server: the key that was given, or that the person compared; nil where an
  /// authority vouches for the server, and over plaintext.
  func pin(of address: ServerAddress, at console: any Console) async throws -> Digest32? {
    if let serverKey { return try given(serverKey, for: address) }
    let introduction = try await AttributeClient.examine(
      address, pin: nil, now: Device.wallClock, digest: { Digest32.sha256($0) })
    guard let introduction, introduction.verdict != .trusted else { return nil }
    return try await ask(introduction, at: console)
  }

  private func given(_ text: String, for address: ServerAddress) throws -> Digest32 {
    guard address.isSecure else {
      throw Failure(.usage, "--server-key goes with https://. Nothing was changed.")
    }
    guard let key = Digest32(fingerprint: text) else {
      throw Failure(
        .usage,
        "That is no server key: it has 52 letters and digits. Nothing was changed. Copy it from the"
          + " log of higginsd.")
    }
    return key
  }

  /// Typing makes a person compare: a yes would be given without looking.
  private func ask(
    _ introduction: ServerIntroduction, at console: any Console
  ) async throws -> Digest32 {
    let reason = introduction.verdict.reason
    guard console.isInputTerminal else {
      throw Failure(
        .alarm,
        "The server's certificate is not trusted: \(reason). Nothing was sent. If the server is"
          + " yours, give the key that higginsd writes to its log as --server-key.")
    }
    try await console.note(
      "The server's certificate is not trusted: \(reason). Its key is"
        + " \(introduction.key.fingerprint)")
    let typed = try await console.ask(
      "If that is the key in the log of higginsd, type its first \(Digest32.typedSymbols) symbols: "
    )
    guard introduction.key.matches(typed: typed) else {
      throw Failure(
        .alarm, "That is not the key the server shows. Nothing was sent. Ask who runs the server.")
    }
    return introduction.key
  }
}

extension ServerIntroduction.Verdict {
  /// Follows a colon.
  var reason: String {
    switch self {
    case .trusted: "it is trusted"
    case .otherKey: "it has another key than the one this device knows the server by"
    case .expired: "it has expired"
    case .notYetValid: "it is not valid yet, or this machine's clock is wrong"
    case .otherHost: "it is for another host"
    case .unknownAuthority: "no authority this machine knows vouches for it"
    }
  }
}
