import type { FrameCheck, NativeVerify } from '../../src/crypto/native-addon.ts';

/** A check of frames that stands for the addon. */
export const asAddon = (verifyFrame: FrameCheck): NativeVerify => ({
  name: 'a test',
  verifyFrame,
  verifyFrameLater: async (frame) => verifyFrame(frame),
});
