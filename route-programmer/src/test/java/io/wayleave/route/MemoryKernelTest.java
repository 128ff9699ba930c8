package io.wayleave.route;

class MemoryKernelTest extends RouteDriverContract {
  @Override
  TestKernel open() {
    return new MemoryKernel(SETTINGS);
  }
}
