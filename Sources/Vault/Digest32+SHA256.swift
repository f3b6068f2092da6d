import Crypto
public import Wire

extension Digest32 {
  /// The SHA-256 digest of `bytes`.
  public static func sha256(_ bytes: some Sequence<UInt8>) -> Digest32 {
    guard let digest = Digest32(bytes: SHA256.hash(data: Array(bytes))) else {
      preconditionFailure("a SHA-256 digest is 32 bytes")
    }
    return digest
  }
}

extension Envelope {
  /// SHA-256 of all its bytes: what the next commit of the device, and others' dependencies, name.
  public var hash: Digest32 { .sha256(bytes) }
}

extension MembershipRecord {
  /// SHA-256 of all its bytes: what the next record names.
  public var hash: Digest32 { .sha256(bytes) }
}
