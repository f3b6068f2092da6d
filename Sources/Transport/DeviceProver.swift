public import Wire

/// Signs with the device's authentication key, which works while the profile is locked.
public protocol DeviceProver: Sendable {
  var device: DeviceID { get }

  /// The Ed25519 signature over `AuthenticationProof.signedBytes`.
  func prove(_ bytes: [UInt8]) throws -> Blob
}
