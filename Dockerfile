# A machine to build and test octet on, where there is a container engine. Without one, ./dev needs
# no container: it makes the same Debian root itself.
#
#   docker build -t octet-dev .
#   docker run --rm -it -v "$PWD:$PWD" -w "$PWD" octet-dev ./dev test
#
# In it, ./dev sees that all of packages.txt is installed, and works directly.
FROM debian:forky

COPY packages.txt /tmp/packages.txt
RUN echo 'Acquire::Check-Valid-Until "false";' > /etc/apt/apt.conf.d/90octet \
 && apt-get update \
 && sed 's/#.*//' /tmp/packages.txt \
    | xargs env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
 && rm -rf /var/lib/apt/lists/* /tmp/packages.txt

ENV CC=gcc-16 CXX=g++-16 LANG=C.UTF-8
WORKDIR /octet
CMD ["bash"]
