import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** Prints what is answered at each URL; its sockets are those of IPv6 for both families. */
public class Client {
    public static void main(String[] urls) throws Exception {
        var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        for (var url : urls) {
            var request = HttpRequest.newBuilder(URI.create(url)).build();
            System.out.println(client.send(request, BodyHandlers.ofString()).body());
        }
    }
}
