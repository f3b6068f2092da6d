public import Wire

/// Why a sealed, signed or derived thing is refused. No case carries a secret.
public enum VaultError: Error, Hashable, Sendable {
  /// The passphrase, or the passphrase and kit together, do not open this.
  case wrongPassphrase
  /// The signature is not the one its author's key makes over these bytes.
  case badSignature
  /// The author, or the signer, is no device of the account at that place of the chain.
  case notAMember(DeviceID)
  /// The ciphertext, or what it is bound to, was changed, or it is sealed for somebody else.
  case cannotOpen
  /// Argon2id parameters below the client's floor or above its ceiling.
  case parametersOutOfRange(memoryKibibytes: Int, passes: Int)
  /// The layout, text or value named by `field` does not read.
  case malformed(field: String)
  /// A typed code or a file fails its checksum: mistyped or damaged.
  case badChecksum
  /// It belongs to another account, or to an account of the same id with another account key.
  case wrongAccount
  /// The membership record of this number does not continue the chain.
  case brokenChain(number: UInt64)
  /// The author was taken out of the account before it wrote this.
  case revoked(DeviceID)
  /// At that place of its author's chain a commit is of another epoch.
  case wrongEpoch(UInt32)
  /// The slot is not the one the membership chain states.
  case oldSlot
  /// This device holds no key of that epoch.
  case unknownEpoch(UInt32)
  /// A record with this digest is referred to, but is not in the membership chain held here: fetch
  /// the chain; if it still lacks the record, the server withholds it.
  case unknownMembership(Digest32)
  /// `value` is over the limit that `limit` names.
  case overLimit(limit: String, value: Int)
  /// Hashing the passphrase needs this much memory and did not get it.
  case outOfMemory(kibibytes: Int)
}

extension VaultError {
  /// Runs `body`, which reads a layout of Wire, and states its failure as this target's.
  static func reading<Value>(
    _ body: () throws(WireError) -> Value
  ) throws(VaultError) -> Value {
    do {
      return try body()
    } catch {
      switch error {
      case .truncated: throw .malformed(field: "length")
      case .trailingBytes: throw .malformed(field: "trailing bytes")
      case .wrongMagic: throw .malformed(field: "magic")
      case .unknownSuite: throw .malformed(field: "suite")
      case .unknownType: throw .malformed(field: "type")
      case .overLimit(let limit, let value): throw .overLimit(limit: limit, value: value)
      case .malformed(let field): throw .malformed(field: field)
      }
    }
  }
}
