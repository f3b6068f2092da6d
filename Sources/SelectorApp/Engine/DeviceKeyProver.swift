import Transport
import Vault
import Wire

/// Proves this device to the servers with its authentication key, which works while locked.
struct DeviceKeyProver: DeviceProver {
  let device: DeviceID
  let key: AuthenticationKey

  func prove(_ bytes: [UInt8]) throws -> Blob { key.sign(bytes) }
}
