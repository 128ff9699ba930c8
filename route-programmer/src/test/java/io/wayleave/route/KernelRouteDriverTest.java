package io.wayleave.route;

import java.io.IOException;
import org.junit.jupiter.api.Tag;

@Tag("real")
class KernelRouteDriverTest extends RouteDriverContract {
  @Override
  TestKernel open() throws IOException {
    return new RealKernel(SETTINGS);
  }
}
