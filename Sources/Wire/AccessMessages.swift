/// `POST /v1/accounts`: creates an account with its first device.
public struct AccountRequest: Hashable, Sendable, Codable {
  public let account: AccountID
  /// SHA-256 of `"ctx/v1/handle"` and the account's name (NFC, lower case): the server never learns
  /// the name.
  public let handle: Digest32
  public let invite: String?
  public let genesis: Blob
  /// Ed25519, 32 bytes: proves passphrase and account secret together (kit login).
  public let loginKey: Blob
  public let slot: Blob
  /// How the passphrase is hashed for this account.
  public let hashing: PassphraseHashing

  public init(
    account: AccountID, handle: Digest32, invite: String?, genesis: Blob, loginKey: Blob,
    slot: Blob, hashing: PassphraseHashing
  ) {
    self.account = account
    self.handle = handle
    self.invite = invite
    self.genesis = genesis
    self.loginKey = loginKey
    self.slot = slot
    self.hashing = hashing
  }
}

/// Argon2id v1.3 with one lane.
public struct PassphraseHashing: Hashable, Sendable, Codable {
  public let memoryKibibytes: Int
  public let passes: Int
  /// 16 random bytes.
  public let salt: Blob

  public init(memoryKibibytes: Int, passes: Int, salt: Blob) {
    self.memoryKibibytes = memoryKibibytes
    self.passes = passes
    self.salt = salt
  }
}

/// `POST /v1/auth/challenge`: exactly one of the two is set.
public struct ChallengeRequest: Hashable, Sendable, Codable {
  public let device: DeviceID?
  public let handle: Digest32?

  public init(device: DeviceID) {
    self.device = device
    self.handle = nil
  }

  public init(handle: Digest32) {
    self.device = nil
    self.handle = handle
  }
}

/// 32 random bytes, good once for ``Limits/challengeLife``. Unknown devices and handles are
/// answered alike.
public struct ChallengeResponse: Hashable, Sendable, Codable {
  public let challenge: Blob
  public let instance: InstanceID
  /// For a handle: how to hash the passphrase (made up for an unknown one).
  public let hashing: PassphraseHashing?

  public init(challenge: Blob, instance: InstanceID, hashing: PassphraseHashing?) {
    self.challenge = challenge
    self.instance = instance
    self.hashing = hashing
  }
}

/// Who may read a token. No token is good for two audiences.
public enum Audience: String, Hashable, Sendable, Codable, CaseIterable {
  case attributes = "attr"
  case push
}

/// `POST /v1/auth/token`: proves a device by its authentication key.
public struct TokenRequest: Hashable, Sendable, Codable {
  public let device: DeviceID
  public let challenge: Blob
  public let audiences: [Audience]
  /// Milliseconds since 1970, so that the server can name a wrong clock.
  public let clientTime: Int64
  /// Ed25519 over
  /// ``AuthenticationProof/signedBytes(instance:serverKeyHash:action:audiences:challenge:)``.
  public let signature: Blob

  public init(
    device: DeviceID, challenge: Blob, audiences: [Audience], clientTime: Int64, signature: Blob
  ) {
    self.device = device
    self.challenge = challenge
    self.audiences = audiences
    self.clientTime = clientTime
    self.signature = signature
  }
}

public struct TokenResponse: Hashable, Sendable, Codable {
  public struct Grant: Hashable, Sendable, Codable {
    public let audience: Audience
    public let token: String
    /// Milliseconds since 1970, by the server's clock.
    public let expiresAt: Int64
    /// Seconds from now until then, for clients whose clock is off.
    public let expiresIn: Int

    public init(audience: Audience, token: String, expiresAt: Int64, expiresIn: Int) {
      self.audience = audience
      self.token = token
      self.expiresAt = expiresAt
      self.expiresIn = expiresIn
    }
  }

  public let account: AccountID
  public let grants: [Grant]

  public init(account: AccountID, grants: [Grant]) {
    self.account = account
    self.grants = grants
  }
}

/// `POST /v1/slot`: hands out the sealed slot to whoever proves passphrase and account secret.
public struct SlotRequest: Hashable, Sendable, Codable {
  public let handle: Digest32
  public let challenge: Blob
  /// Ed25519 by the login key, with no audience, over
  /// ``AuthenticationProof/signedBytes(instance:serverKeyHash:action:audiences:challenge:)``.
  public let signature: Blob

  public init(handle: Digest32, challenge: Blob, signature: Blob) {
    self.handle = handle
    self.challenge = challenge
    self.signature = signature
  }
}

/// The slot, and a token of scope `enrol` that reads the membership chain and adds this device.
public struct SlotResponse: Hashable, Sendable, Codable {
  public let account: AccountID
  public let slot: Blob
  public let token: String

  public init(account: AccountID, slot: Blob, token: String) {
    self.account = account
    self.slot = slot
    self.token = token
  }
}

/// What a device or login key signs to prove itself, bound to the server and the purpose.
public enum AuthenticationProof {
  public enum Action: String, Sendable {
    case token
    case slot
  }

  /// `"ctx/v1/auth"`, the instance's 16 bytes, the server key's hash (zero over plaintext
  /// loopback), the action, the audiences joined by commas, the 32 bytes of the challenge; texts
  /// are preceded by their length in one byte.
  public static func signedBytes(
    instance: InstanceID, serverKeyHash: Digest32, action: Action, audiences: [Audience],
    challenge: [UInt8]
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(Array("ctx/v1/auth".utf8))
    writer.write(instance.bytes)
    writer.write(serverKeyHash.bytes)
    for text in [action.rawValue, audiences.map(\.rawValue).joined(separator: ",")] {
      writer.write(UInt8(text.utf8.count))
      writer.write(Array(text.utf8))
    }
    writer.write(challenge)
    return writer.bytes
  }
}

/// `POST /v1/enrol/{rendezvous}`: a letter for the other side of a pairing.
///
/// The trusted device opens the mailbox (it must be authenticated), the new device puts an `offer`
/// in, the trusted device an `answer`. Each box holds one letter and gives it out once:
/// `GET /v1/enrol/{rendezvous}/{box}?wait=SECONDS` (at most 25; 204 while it is empty).
public struct MailboxRequest: Hashable, Sendable, Codable {
  public enum Box: String, Hashable, Sendable, Codable {
    /// Opens the mailbox; carries no letter.
    case open
    case offer
    case answer
  }

  public let box: Box
  /// At most ``Limits/mailboxBytes``.
  public let letter: Blob?

  public init(box: Box, letter: Blob? = nil) {
    self.box = box
    self.letter = letter
  }
}

public struct MailboxResponse: Hashable, Sendable, Codable {
  public let letter: Blob

  public init(letter: Blob) {
    self.letter = letter
  }
}
